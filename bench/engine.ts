import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Workload } from './engine-request.ts';
import type { EngineRun } from './engine-run.ts';

const SIZES = [100, 1_000, 10_000];
const RUN = fileURLToPath(new URL('./engine-run.ts', import.meta.url));

/**
 * Whole deployments by the real driver and SQLite store with actions that take no time, and beside them the real plan of a
 * datacenter; see engine-request.ts and engine-run.ts.
 */
export async function benchEngine(args: readonly string[]): Promise<void> {
  const { json } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
  }).values;
  const runs = await runsOf('simulated');
  const withCapacity = await runsOf('datacenter');
  if (json) console.log(JSON.stringify({ runs, withCapacity }));
  else console.table([...runs, ...withCapacity]);
}

async function runsOf(workload: Workload): Promise<readonly EngineRun[]> {
  const runs: EngineRun[] = [];
  for (const targets of SIZES) runs.push(await runOf(targets, workload));
  return runs;
}

/** Each size in a process of its own, so that its memory is its own. */
async function runOf(targets: number, workload: Workload): Promise<EngineRun> {
  const child = spawn(process.execPath, [RUN, String(targets), workload], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const output = await text(child.stdout);
  const code = await ended;
  if (code !== 0) throw new Error(`The run of ${targets} targets ended with ${code}.`);
  return JSON.parse(output) as EngineRun;
}
