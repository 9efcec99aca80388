// Deployments over real sshd whose server, worker or connections are killed on the way: `npm run crash -- deployments [--quick]
// [--json] [--runs N] [--seed N]`. The last line says what came of it; exit 0 only if all went on by themselves, no command
// ran twice and no byte of output is missing.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { requireService } from '../../scripts/services.ts';
import { crashAll } from './crash-all.ts';
import { figuresOf, isSound, lineOf } from './figures.ts';

const QUICK_RUNS = 30;
const FULL_RUNS = 200;

export async function crashDeployments(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      seed: { type: 'string' },
    },
  });
  const { path: sshdPath, skip } = requireService('sshd');
  if (sshdPath === undefined) throw new Error(skip);
  const seed = Number(values.seed ?? randomInt(1_000_000));
  const runs = Number(values.runs ?? (values.quick ? QUICK_RUNS : FULL_RUNS));
  const log = values.json ? (line: string) => console.error(line) : (line: string) => console.log(line);
  log(`${runs} runs with the seed ${seed}`);
  const startedMs = performance.now();
  const results = await crashAll({ sshdPath, seed, runs, onResult: (n, result) => log(lineOf(n, result)) });
  const figures = {
    ...figuresOf(results),
    seed,
    seconds: Math.round((performance.now() - startedMs) / 1_000),
  };
  console.log(values.json ? JSON.stringify(figures) : figures);
  return isSound(figures) ? 0 : 1;
}
