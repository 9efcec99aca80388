import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project.ts';

/** What became of a planted bug. `broken`: the process itself ended or hung, which proves nothing. */
export type Verdict =
  | { readonly kind: 'caught'; readonly seeds: number; readonly seed: number; readonly invariant: string }
  | { readonly kind: 'survived'; readonly seeds: number }
  | { readonly kind: 'broken'; readonly seeds: number; readonly why: string };

export type RunOptions = {
  /** What runs the seeds, `--seeds N --from M`, until one shows the bug; its last line is a JSON object. */
  readonly program: string;
  readonly seeds: number;
  readonly from: number;
  /** Only these seeds, in place of `seeds` and `from`: no other can show the bug. */
  readonly list?: readonly number[];
  /** How long a process may say nothing: each seed that is done is a line. ms. */
  readonly limitMs: number;
};

/** Seeds of one process: what it leaves behind in memory goes with it. */
const SLICE = 500;

/**
 * Runs seeds with a bug planted until one shows it: one that is well without the bug. Each slice is a process of its own.
 */
export async function runMutant(name: string, options: RunOptions): Promise<Verdict> {
  const { list } = options;
  const seeds = list?.length ?? options.seeds;
  let done = 0;
  while (done < seeds) {
    const size = Math.min(SLICE, seeds - done);
    const slice = list ? { list: list.slice(done, done + size) } : {};
    const verdict = await runSlice(name, { ...options, seeds: size, from: options.from + done, ...slice });
    done += verdict.seeds;
    if (verdict.kind === 'broken') return { ...verdict, seeds: done };
    if (verdict.kind === 'caught' && (await isWell(verdict.seed, options)))
      return { ...verdict, seeds: done };
  }
  return { kind: 'survived', seeds: done };
}

/** By program and seed: whether it is well without any bug. Many bugs are seen by the same seeds. */
const known = new Map<string, Promise<boolean>>();

function isWell(seed: number, options: RunOptions): Promise<boolean> {
  const key = `${options.program} ${seed}`;
  const { list: _, ...rest } = options;
  const asked = known.get(key) ?? runSlice(null, { ...rest, seeds: 1, from: seed }).then(isClean);
  known.set(key, asked);
  return asked;
}

const isClean = ({ kind }: Verdict): boolean => kind === 'survived';

/** Without a name nothing is planted. */
async function runSlice(name: string | null, options: RunOptions): Promise<Verdict> {
  const { code, stdout, stderr, isLate } = await runPlanted(name, options);
  const broken = (why: string): Verdict => ({ kind: 'broken', seeds: 0, why });
  if (isLate) return broken(`nothing within ${options.limitMs / 1_000} s`);
  const said = parsed(stdout.trimEnd().split('\n').at(-1) ?? '');
  const seeds = numberIn(said, 'seeds') ?? options.seeds;
  if ((numberIn(said, 'violations') ?? 0) > 0 && code === 1) {
    const invariant = String(Reflect.get(said ?? {}, 'invariant') ?? 'unnamed');
    return { kind: 'caught', seeds, seed: numberIn(said, 'seed') ?? options.from + seeds - 1, invariant };
  }
  if (code === 0 && said) return { kind: 'survived', seeds: options.seeds };
  return broken(`exit status ${code}: ${faultIn(stderr)}`);
}

/** The line that names the fault, else the last ones. */
function faultIn(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.slice(-3).join(' | ');
}

type Ended = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly isLate: boolean;
};

/** How much of what a process writes is kept: the end. */
const KEPT_CHARS = 64 * 1024;

function runPlanted(
  name: string | null,
  { program, seeds, from, list, limitMs }: RunOptions,
): Promise<Ended> {
  const plant = join(projectRoot, 'test/mutants/plant.ts');
  const flags = ['--disable-warning=ExperimentalWarning', ...(name === null ? [] : ['--import', plant])];
  const args = list ? ['--list', list.join(',')] : ['--seeds', String(seeds), '--from', String(from)];
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const child = spawn(process.execPath, [...flags, program, ...args], {
    cwd: projectRoot,
    env: { ...process.env, ...(name !== null && { EDGE_MUTANT: name }), NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kept = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    timer.refresh();
    kept.stdout = (kept.stdout + text).slice(-KEPT_CHARS);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    kept.stderr = (kept.stderr + text).slice(-KEPT_CHARS);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, limitMs);
  child.on('error', reject);
  child.on('close', (code) => {
    clearTimeout(timer);
    resolve({ code, ...kept, isLate });
  });
  return promise;
}

function parsed(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function numberIn(value: object | undefined, name: string): number | undefined {
  const found: unknown = value && Reflect.get(value, name);
  return typeof found === 'number' ? found : undefined;
}
