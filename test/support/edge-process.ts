import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export type EdgeEnd = {
  /** The exit status; `null` when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type EdgeProcess = {
  readonly pid: number;
  readonly ended: Promise<EdgeEnd>;
  /** What was written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly signal: (signal: NodeJS.Signals) => void;
};

export type EdgeOptions = {
  /** `EDGE_DATA`. */
  readonly dataFolder?: string;
  /** Another than that of this clone: see `installEdge`. */
  readonly program?: string;
  /** Variables that are added or replaced. */
  readonly env?: Readonly<Record<string, string>>;
};

const PROGRAM = join(import.meta.dirname, '../../bin/edge');
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'EDGE_NODE', 'NODE_COMPILE_CACHE'] as const;

/** Starts the real program as a process of its own, without a terminal and without the variables of the test runner. */
export function startEdge(words: readonly string[], options: EdgeOptions = {}): EdgeProcess {
  const { dataFolder, program = PROGRAM, env } = options;
  const inherited = INHERITED.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  const child = spawn(program, words, {
    env: { ...Object.fromEntries(inherited), ...(dataFolder && { EDGE_DATA: dataFolder }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const ended = once(child, 'close').then(() => ({
    status: child.exitCode,
    stdout: stdout(),
    stderr: stderr(),
  }));
  if (child.pid === undefined) throw new Error(`${program} did not start`);
  return { pid: child.pid, ended, stdout, stderr, signal: (signal) => void child.kill(signal) };
}

const LIMIT_MS = 150_000;

/** Runs the real program to its end. One that does not come to it is killed: its status is `null` then. */
export async function edge(words: readonly string[], options: EdgeOptions = {}): Promise<EdgeEnd> {
  const running = startEdge(words, options);
  const limit = setTimeout(() => running.signal('SIGKILL'), LIMIT_MS);
  try {
    return await running.ended;
  } finally {
    clearTimeout(limit);
  }
}

/** The last line that was written, as JSON: what `--json` promises. */
export function jsonOf({ stdout, stderr }: EdgeEnd): unknown {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    return JSON.parse(line);
  } catch {
    throw new Error(`no JSON in the last line: ${JSON.stringify(line)}; on standard error: ${stderr}`);
  }
}

function collect(stream: NonNullable<ChildProcess['stdout']>): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}
