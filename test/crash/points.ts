// Deployments over real sshd that are killed at named points: `npm run crash -- points [--json] [--points a,b] [--strategy x]
// [--store sqlite] [--quick] [--lanes N] [--silent]`. The last line says what came of it; exit 0 only if every process came by
// its point, each deployment went on by itself, and no command ran twice.
import { parseArgs } from 'node:util';
import { requireService } from '../../scripts/services.ts';
import { STORES, type StoreKind } from './edge-processes.ts';
import { type CrashPoint, POINTS, STRATEGIES, type Strategy } from './points/catalogue.ts';
import { isSound, lineOf, pointFigures } from './points/point-figures.ts';
import { type Planned, plannedRuns, runAll, silentRuns } from './points/run-all.ts';

/** A run keeps a core busy for a third of its time; one without proof waits for nearly all of it. */
const LANES = { proof: '4', silent: 6 };
/** A quick round strikes every n-th point, with one strategy each. */
const QUICK = 4;

export async function crashPoints(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      points: { type: 'string' },
      strategy: { type: 'string' },
      store: { type: 'string' },
      lanes: { type: 'string', default: LANES.proof },
      silent: { type: 'boolean', default: false },
    },
  });
  const { path: sshdPath, skip } = requireService('sshd');
  if (sshdPath === undefined) throw new Error(skip);
  const log = values.json ? (line: string) => console.error(line) : (line: string) => console.log(line);
  const stores = chosen('store', STORES, values.store);
  const isAll = values.points === undefined && values.strategy === undefined && !values.quick;
  const proved = values.silent ? [] : provedRuns(values, stores);
  const silent = values.silent || isAll ? silentRuns(stores) : [];
  log(`${proved.length} runs with proof of death, ${silent.length} without`);
  const startedMs = performance.now();
  const perform = async (runs: readonly Planned[], lanes: number, first: number) =>
    pointFigures(
      await runAll({
        ...{ runs, lanes, sshdPath, network: { prefix: '127.76', first } },
        onResult: (result) => log(lineOf(result)),
      }),
    );
  const figures = await perform(proved, Number(values.lanes), 1);
  const withoutProof = await perform(silent, LANES.silent, 101);
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  const all = { ...figures, withoutProof, stores, seconds };
  console.log(values.json ? JSON.stringify(all) : all);
  const isWhole = isSound(figures, { proof: true }) && isSound(withoutProof, { proof: false });
  return isWhole && figures.runs + withoutProof.runs > 0 ? 0 : 1;
}

type Values = { readonly quick: boolean; readonly points?: string; readonly strategy?: string };

function provedRuns({ quick, points, strategy }: Values, stores: readonly StoreKind[]): readonly Planned[] {
  const strategies: readonly Strategy[] = chosen('strategy', STRATEGIES, strategy);
  const names = chosen(
    'point',
    POINTS.map(({ name }) => name),
    points,
  );
  const wanted: readonly CrashPoint[] = POINTS.filter(({ name }) => names.includes(name));
  const runs = plannedRuns({ points: wanted, strategies, stores });
  const step = QUICK * strategies.length - 1;
  return quick ? runs.filter((_, n) => n % step === 0) : runs;
}

/** Those that were named, with commas between; all if none was. */
function chosen<T extends string>(what: string, all: readonly T[], given: string | undefined): readonly T[] {
  if (given === undefined) return all;
  const names = given.split(',');
  const unknown = names.filter((name) => !all.some((one) => one === name));
  if (unknown.length > 0)
    throw new Error(`no ${what} is called ${unknown.join(', ')}; there are: ${all.join(', ')}`);
  return all.filter((one) => names.includes(one));
}
