import { asEdgeError } from '../domain/errors.ts';
import type { HealthCheck } from '../domain/health.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { SecretRef } from '../domain/secret.ts';
import type { Json } from '../lib/json.ts';
import type { ActionContext } from '../ports/action.ts';
import type { HostAddress } from '../ports/hosts.ts';
import type { HttpSeen } from '../ports/probe.ts';
import { lookAtMembers, type MembersPlace } from './health-members.ts';
import { cancelCommand, type Dispatched, type RemoteCommand, runCommand } from './remote-command.ts';
import { withTimeout } from './timeout.ts';

const BODY_LIMIT_BYTES = 256 * 1024;
const QUOTE_LENGTH = 120;
const CANCEL_GRACE_MS = 2_000;

type Kind<K extends HealthCheck['kind']> = HealthCheck & { readonly kind: K };
export type LookPlace =
  | { readonly kind: 'http'; readonly check: Kind<'http'>; readonly url: string }
  | { readonly kind: 'tcp'; readonly check: Kind<'tcp'>; readonly address: string; readonly port: number }
  | {
      readonly kind: 'command';
      readonly check: Kind<'command'>;
      readonly host: HostAddress;
      readonly cwd: string | undefined;
      readonly env: Readonly<Record<string, string | SecretRef>> | undefined;
      readonly sudoUser: string | undefined;
    }
  | ({ readonly kind: 'balancer'; readonly check: Kind<'balancer'> } & MembersPlace);

type LookRequest = {
  readonly place: LookPlace;
  /** The version that must answer, where the check reads one. */
  readonly version: string | undefined;
  readonly command: {
    readonly ordinal: number;
    readonly dispatched: Dispatched | null;
    readonly checkpoint: (dispatched: Dispatched) => Json;
  };
};

/** What one look gave; `seen` is a short sentence for people. */
export type Look = { readonly passed: boolean; readonly seen: string };

/** Looks once at a target. Whatever answers, or does not, is a value; it rejects only when the task itself is ended. */
export function lookOnce(context: ActionContext, request: LookRequest): Promise<Look> {
  const { place } = request;
  switch (place.kind) {
    case 'http':
      return lookHttp(context, place, request.version);
    case 'tcp':
      return lookTcp(context, place);
    case 'command':
      return lookCommand(context, place, request.command);
    case 'balancer':
      return lookAtMembers(context, place, place.check.timeoutMs);
    default:
      return place satisfies never;
  }
}

async function lookHttp(
  context: ActionContext,
  { check, url }: LookPlace & { readonly kind: 'http' },
  version: string | undefined,
): Promise<Look> {
  const { headers, timeoutMs } = check;
  const request = { url, headers, timeoutMs, maxBytes: BODY_LIMIT_BYTES };
  const answer = await context.ports.probe.http(request, context.signal);
  const wrong = wrongWith(answer, check, version);
  return { passed: wrong === undefined, seen: `GET ${url} ${wrong ?? `answered ${check.status}`}` };
}

/** The first thing that is not as it must be. */
function wrongWith(answer: HttpSeen, check: Kind<'http'>, version: string | undefined): string | undefined {
  if (answer.kind === 'nothing') return `gave no answer: ${answer.why}`;
  if (answer.status !== check.status) return `answered ${answer.status}, not ${check.status}`;
  if (check.body !== undefined && !answer.body.includes(check.body)) {
    return `answered without \`${quote(check.body)}\` in its body`;
  }
  const other = check.json && wrongValue(answer.body, check.json);
  if (other !== undefined) return other;
  if (check.version === undefined || version === undefined) return undefined;
  const running = versionIn(answer, check.version);
  if (running === version) return undefined;
  return running === undefined ? 'did not say its version' : `runs \`${quote(running)}\`, not \`${version}\``;
}

function wrongValue(body: string, { path, equals }: NonNullable<Kind<'http'>['json']>): string | undefined {
  const value = valueAt(body, path);
  if (value === equals) return undefined;
  if (value === undefined) return `answered without \`${path}\` in JSON`;
  return `says \`${path}\` is ${quote(JSON.stringify(value))}, not ${quote(JSON.stringify(equals))}`;
}

/** `undefined` where there is no such value, or no JSON. */
function valueAt(body: string, path: string): unknown {
  let value: unknown = parsed(body);
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Reflect.get(value, name);
  }
  return value;
}

function versionIn(
  answer: HttpSeen & { readonly kind: 'answer' },
  source: NonNullable<Kind<'http'>['version']>,
): string | undefined {
  if ('header' in source) return answer.headers[source.header.toLowerCase()];
  const value = valueAt(answer.body, source.jsonPath);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function lookTcp(
  context: ActionContext,
  { check, address, port }: LookPlace & { readonly kind: 'tcp' },
): Promise<Look> {
  const seen = await context.ports.probe.tcp(address, port, check.timeoutMs, context.signal);
  const place = `port ${port} of ${address}`;
  if (seen.kind === 'open') return { passed: true, seen: `${place} is open` };
  return { passed: false, seen: `${place} cannot be reached: ${seen.why}` };
}

async function lookCommand(
  context: ActionContext,
  place: LookPlace & { readonly kind: 'command' },
  { ordinal, dispatched, checkpoint }: LookRequest['command'],
): Promise<Look> {
  const { check, host, cwd, env, sudoUser } = place;
  const command: RemoteCommand = { host, ordinal, argv: check.argv, cwd, env, sudoUser };
  let started = dispatched;
  const following = {
    dispatched,
    checkpoint: (now: Dispatched) => {
      started = now;
      return checkpoint(now);
    },
    capture: () => undefined,
  };
  const name = `\`${quote(check.argv.join(' '))}\``;
  const end = await withTimeout(context, check.timeoutMs, (signal) =>
    runCommand({ ...context, signal }, command, following),
  );
  if (end === 'timeout') {
    const ended = await cancelled(context, command, started);
    return { passed: false, seen: `${name} took longer than ${check.timeoutMs} ms${ended}` };
  }
  if (end.kind === 'open')
    return { passed: false, seen: `${name} could not be followed: ${wordsOf(end.outcome)}` };
  const said = end.code === 0 || end.lastLines === '' ? '' : `: ${quote(end.lastLines)}`;
  return { passed: end.code === 0, seen: `${name} ended with exit status ${end.code}${said}` };
}

/** Leaves no check running behind a timeout; whether it worked is told, and the next look is another command anyway. */
async function cancelled(
  context: ActionContext,
  command: RemoteCommand,
  started: Dispatched | null,
): Promise<string> {
  try {
    const proof = await cancelCommand(context, command, {
      wasDispatched: started !== null,
      graceMs: CANCEL_GRACE_MS,
    });
    return proof.gone ? '' : `, and could not be ended: ${proof.seen}`;
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    return `, and could not be ended: ${asEdgeError(thrown).message}`;
  }
}

function wordsOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'unknown':
      return outcome.seen;
    case 'failed':
      return outcome.error.message;
    case 'wait':
      return outcome.progress ?? 'the host does not answer';
    case 'done':
      return 'it is done';
    default:
      return outcome satisfies never;
  }
}

const quote = (text: string): string =>
  text.length <= QUOTE_LENGTH ? text : `${text.slice(0, QUOTE_LENGTH)}…`;
