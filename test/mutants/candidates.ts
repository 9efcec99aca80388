import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from '../../scripts/project.ts';
import { forEachLimited } from '../../src/lib/concurrency.ts';

export type CandidatesOptions = {
  readonly seeds: number;
  readonly from: number;
  readonly lanes: number;
  readonly onProgress: (seeds: number) => void;
};

/** Seeds of one process, as everywhere: what it leaves in memory goes with it. */
const SLICE = 200;
/** More of them for one guard say nothing more. */
const MOST = 400;

/**
 * By guard: the seeds in which its deletion decides otherwise at some point, at most 400 of them. All guards are observed in one
 * run, which costs as much as one survivor would; no other seed can show a deletion.
 */
export async function candidates(
  options: CandidatesOptions,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const { seeds, from, lanes, onProgress } = options;
  const found = new Map<string, number[]>();
  const slices = Array.from({ length: Math.ceil(seeds / SLICE) }, (_, n) => from + n * SLICE);
  let done = 0;
  await forEachLimited(slices, lanes, async (first) => {
    const count = Math.min(SLICE, from + seeds - first);
    await observe(first, count, ({ seed, diverged }) => {
      for (const name of diverged) found.set(name, [...(found.get(name) ?? []), seed]);
    });
    done += count;
    onProgress(done);
  });
  return new Map([...found].map(([name, of]) => [name, of.toSorted((a, b) => a - b).slice(0, MOST)]));
}

type Seen = { readonly seed: number; readonly diverged: readonly string[] };

async function observe(from: number, seeds: number, onSeed: (seen: Seen) => void): Promise<void> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--import',
    join(projectRoot, 'test/mutants/plant-diverging.ts'),
  ];
  const program = [
    join(projectRoot, 'test/mutants/seeds.ts'),
    '--seeds',
    String(seeds),
    '--from',
    String(from),
  ];
  const child = spawn(process.execPath, [...args, ...program], {
    cwd: projectRoot,
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as Partial<Seen>;
    if (said.seed !== undefined && said.diverged) onSeed({ seed: said.seed, diverged: said.diverged });
  }
  const code = await ended;
  if (code !== 0) throw new Error(`the seeds from ${from} on, with nothing planted, ended with ${code}`);
}
