import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { runCli } from '../../src/cli/cli.ts';
import type { CliEnvironment, CliSettings, Terminal } from '../../src/cli/environment.ts';

export type CliRunOptions = {
  readonly settings?: CliSettings;
  readonly folder?: string;
  readonly terminal?: Partial<Terminal>;
  readonly now?: () => number;
  /** Lines that a person types and then no more; `null`: a person who only looks. */
  readonly answers?: string | null;
  readonly connect?: CliEnvironment['connect'];
  readonly roles?: Partial<Pick<CliEnvironment, 'serve' | 'work' | 'demo'>>;
};

export type CliRun = {
  readonly status: Promise<number>;
  /** What was written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => void;
};

const NO_SERVER = 'http://127.0.0.1:1';

/** One command line in this process, as `main.ts` would run it: everything of the CLI but its process. */
export function startCli(argv: readonly string[], options: CliRunOptions = {}): CliRun {
  const out: string[] = [];
  const err: string[] = [];
  const listeners = new Set<() => void>();
  const stdin = new PassThrough();
  if (options.answers !== null) stdin.end(options.answers ?? '');
  const role = async () => 0;
  const environment: CliEnvironment = {
    version: '1.2.3',
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    stdin,
    terminal: {
      redraws: false,
      answers: false,
      colours: false,
      size: () => ({ columns: 100, rows: 30 }),
      ...options.terminal,
    },
    folder: options.folder ?? '/nowhere',
    settings: options.settings ?? {},
    now: options.now ?? Date.now,
    // Nobody waits for a screen here.
    sleep: async (ms, signal) => {
      await delay(ms / 50, undefined, { ...(signal && { signal }) }).catch(() => {});
    },
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connect: options.connect ?? (async () => ({ url: NO_SERVER, embedded: false, close: async () => {} })),
    ...{ serve: role, work: role, demo: role, ...options.roles },
  };
  return {
    status: runCli(argv, environment),
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    interrupt: () => {
      for (const listener of listeners) listener();
    },
  };
}

export type CliResult = { readonly status: number; readonly stdout: string; readonly stderr: string };

export async function cli(argv: readonly string[], options: CliRunOptions = {}): Promise<CliResult> {
  const run = startCli(argv, options);
  const status = await run.status;
  return { status, stdout: run.stdout(), stderr: run.stderr() };
}
