import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import type { CliSettings } from '../../src/cli/environment.ts';
import { errorLines } from '../../src/cli/error-lines.ts';
import { asEdgeError, type ErrorBody } from '../../src/domain/errors.ts';
import { type CliResult, type CliRunOptions, cli } from './cli-process.ts';

/** One error as it was told, in one of the ways in which a person or a program can meet it. */
export type Told = {
  readonly body: ErrorBody;
  /** Exit status of the command. */
  readonly exit?: number;
  /** Status of the answer of the API, where one was asked. */
  readonly http?: number;
};

type Headers = {
  readonly request: { readonly origin: unknown };
  readonly response: { readonly statusCode: number };
};

/** A command line in this process: once for people, once with --json; both must say the same. */
export async function throughCli(argv: readonly string[], options: CliRunOptions): Promise<readonly Told[]> {
  const statuses: number[] = [];
  const hear = (message: unknown): void => {
    const { request, response } = message as Headers;
    if (String(request.origin) === options.settings?.server) statuses.push(response.statusCode);
  };
  subscribe('undici:request:headers', hear);
  try {
    const told = bothForms(await cli(argv, options), await cli([...argv, '--json'], options));
    const http = statuses.findLast((status) => status >= 400);
    return told.map((one) => ({ ...one, ...(http !== undefined && { http }) }));
  } finally {
    unsubscribe('undici:request:headers', hear);
  }
}

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'edge');

/** The same of real processes, with nothing of this one's settings. */
export async function throughProcess(argv: readonly string[]): Promise<readonly Told[]> {
  const [text, json] = await Promise.all([processOf(argv), processOf([...argv, '--json'])]);
  return bothForms(text, json);
}

function processOf(argv: readonly string[]): Promise<CliResult> {
  const { EDGE_SERVER: _, EDGE_TOKEN: __, EDGE_DATA: ___, ...env } = process.env;
  return new Promise((resolve) => {
    const child = execFile(BIN, argv, { env, timeout: 30_000 }, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** For people on standard error and nothing on standard output; with --json one value on standard output. */
function bothForms(text: CliResult, json: CliResult): readonly Told[] {
  assert.equal(text.stdout, '');
  assert.equal(json.stderr, '');
  const { error } = JSON.parse(json.stdout) as { readonly error: ErrorBody };
  const lines = `${errorLines(error).join('\n')}\n`;
  assert.equal(withoutIds(text.stderr), withoutIds(lines));
  assert.equal(text.status, json.status);
  return [{ body: error, exit: text.status }];
}

/** Two requests have two ids in the log of the server. */
const withoutIds = (text: string): string => text.replaceAll(/req-\w+/g, 'req-*');

export type Request = {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
};

/** A raw request, for what no command line can ask. */
export async function throughApi(
  { server, token }: CliSettings,
  { method, path, body }: Request,
): Promise<readonly Told[]> {
  const response = await fetch(`${server}${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
  });
  const { error } = (await response.json()) as { readonly error: ErrorBody };
  return [{ body: error, http: response.status }];
}

/** What is wrong is the answer of `edge doctor`, so it stands on standard output, and no request has failed. */
export async function throughDoctor(
  place: readonly [project: string, environment: string],
  options: CliRunOptions,
): Promise<readonly Told[]> {
  const forms = [
    ['doctor', ...place],
    ['doctor', ...place, '--json'],
  ].map((argv) => cli(argv, options));
  const [text, json] = await Promise.all(forms);
  assert.ok(text && json);
  const { checks } = JSON.parse(json.stdout) as {
    readonly checks: readonly { readonly problems: readonly ErrorBody[] }[];
  };
  const body = checks.flatMap(({ problems }) => problems)[0];
  assert.ok(body, json.stdout);
  for (const line of errorLines(body)) assert.ok(text.stdout.includes(line), `${line}\n${text.stdout}`);
  assert.equal(text.status, json.status);
  return [{ body, exit: text.status }];
}

/** As a port itself says it, where nothing of the API and the command line asks it yet. */
export async function throughPort(call: Promise<unknown>): Promise<readonly Told[]> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => asEdgeError(thrown),
  );
  assert.ok(error, 'nothing was wrong');
  return [{ body: error.body }];
}
