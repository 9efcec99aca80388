// 200 detached tasks over real sshd, while everything breaks: `npm run crash -- detached --json [--tasks N] [--seed N]`.
// Prints its figures as one JSON line; exit 0 only if no promise was broken.
import { parseArgs } from 'node:util';
import { requireService } from '../../scripts/services.ts';
import { type ChaosFigures, runDetachedChaos } from '../support/detached-chaos.ts';

export async function crashDetached(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      tasks: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
    },
  });
  const { path: sshdPath, skip } = requireService('sshd');
  if (sshdPath === undefined) throw new Error(skip);
  const tasks = Number(values.tasks);
  const figures = await runDetachedChaos({
    sshdPath,
    network: '127.74.1',
    seed: Number(values.seed),
    tasks,
    hosts: 8,
    parallel: 32,
    maxSeconds: 30,
    maxOutputBytes: 50_000_000,
    kills: Math.round(tasks / 10),
    cancels: Math.round(tasks / 10),
  });
  console.log(values.json ? JSON.stringify(figures) : figures);
  return isClean(figures) ? 0 : 1;
}

function isClean(figures: ChaosFigures): boolean {
  const { leftRunning, ranMoreThanOnce, wrongExit, wrongOutput, falseSuccesses } = figures;
  return leftRunning + ranMoreThanOnce + wrongExit + wrongOutput + falseSuccesses === 0;
}

if (import.meta.main) process.exitCode = await crashDetached(process.argv.slice(2));
