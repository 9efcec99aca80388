// `npm run simulate:mutants -- [--json] [--seeds 10000] [--from 1] [--only name,…] [--planted | --guards] [--lanes 2]`:
// plants bugs one at a time and counts which of them the simulation sees.
import { parseArgs } from 'node:util';
import { forEachLimited } from '../../src/lib/concurrency.ts';
import { candidates } from './candidates.ts';
import { figuresOf, isEnough, type Result } from './figures.ts';
import { findGuards } from './guards.ts';
import { MUTANTS } from './mutants.ts';
import { runMutant, type Verdict } from './run-mutant.ts';
import { keyOf, SURVIVORS } from './survivors.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    planted: { type: 'boolean', default: false },
    guards: { type: 'boolean', default: false },
    lanes: { type: 'string', default: '2' },
    limit: { type: 'string', default: '240' },
    program: { type: 'string', default: 'test/mutants/seeds.ts' },
  },
});

type Wanted = Pick<Result, 'name' | 'kind'>;

/** Of bugs and guards those that are asked for; `only` gives names, or beginnings of them. */
function wanted(): readonly Wanted[] {
  const both = options.planted === options.guards;
  const planted = both || options.planted ? MUTANTS : [];
  const guards = both || options.guards ? findGuards() : [];
  const all: readonly Wanted[] = [
    ...planted.map(({ name }) => ({ name, kind: 'planted' as const })),
    ...guards.map(({ name }) => ({ name, kind: 'guard' as const })),
  ];
  const only = options.only.split(',').filter((name) => name !== '');
  return only.length === 0 ? all : all.filter(({ name }) => only.some((start) => name.startsWith(start)));
}

function lineOf({ name, verdict, wallS }: Result): string {
  return `${verdict.kind.padEnd(8)}  ${name}  ${wordsOf(verdict)}, ${wallS.toFixed(1)} s`;
}

function wordsOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'caught':
      return `by ${verdict.invariant}, seed ${verdict.seed}`;
    case 'survived':
      return `${verdict.seeds} seeds that reach it`;
    case 'broken':
      return verdict.why;
    default:
      return verdict satisfies never;
  }
}

const secondsSince = (startMs: number): number => (performance.now() - startMs) / 1_000;

const beganMs = performance.now();
const results: Result[] = [];
const asked = wanted();
const [seeds, from, lanes] = [Number(options.seeds), Number(options.from), Number(options.lanes)];
const reaching = asked.some(({ kind }) => kind === 'guard')
  ? await candidates({
      seeds,
      from,
      lanes,
      onProgress: (done) => console.error(`guards: ${done} of ${seeds} seeds`),
    })
  : new Map<string, readonly number[]>();
await forEachLimited(asked, lanes, async ({ name, kind }) => {
  const startMs = performance.now();
  const list = kind === 'guard' ? { list: reaching.get(name) ?? [] } : {};
  const limitMs = Number(options.limit) * 1_000;
  const verdict = await runMutant(name, { program: options.program, seeds, from, limitMs, ...list });
  const result = { name, kind, verdict, wallS: secondsSince(startMs) };
  results.push(result);
  console.error(lineOf(result));
});
const figures = figuresOf(results, Math.round(secondsSince(beganMs)));
if (!options.json) {
  const { mutants, caught, guards, guardsCaught, survivors } = figures;
  console.log(
    `${caught} of ${mutants} planted bugs and ${guardsCaught} of ${guards} deleted guards are caught`,
  );
  for (const name of survivors)
    console.log(`  survives: ${name}: ${SURVIVORS[keyOf(name)] ?? 'NOT EXPLAINED'}`);
}
console.log(JSON.stringify(figures));
process.exitCode = isEnough(figures) ? 0 : 1;
