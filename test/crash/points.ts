// Deployments over real sshd that are killed at named points: `npm run crash -- points [--json] [--points a,b] [--strategy x]
// [--store sqlite,mariadb] [--quick] [--lanes N] [--silent] [--strikes N]`. `--silent`: only those whose death nobody can prove.
// `--strikes`: the successors are killed as well, as soon as they come by the point. The last line says what came of it; exit 0
// only if every point was come by, each deployment went on by itself, and no command ran twice.
import { parseArgs } from 'node:util';
import { requireService } from '../../scripts/services.ts';
import { POINTS, STRATEGIES } from './points/catalogue.ts';
import { isSound, lineOf, pointFigures, silentFigures } from './points/point-figures.ts';
import { type Planned, plannedRuns, runAll, silentRuns } from './points/run-all.ts';
import { type CrashStore, STORE_KINDS } from './points/stores.ts';

/** A run keeps a core busy for most of its time; one without proof waits for nearly all of it. */
const LANES = { proof: '3', silent: 6 };
/** A quick round has every n-th run: another strategy for each point that it comes to. */
const QUICK = 11;

export async function crashPoints(args: readonly string[]): Promise<number> {
  const values = valuesOf(args);
  const { path: sshdPath, skip } = requireService('sshd');
  if (sshdPath === undefined) throw new Error(skip);
  const log = values.json ? (line: string) => console.error(line) : (line: string) => console.log(line);
  const startedMs = performance.now();
  const stores: CrashStore[] = [];
  try {
    for (const kind of named('store', STORE_KINDS, values.store)) stores.push(await kind.open());
    const figures = await figuresOf(runsOf(values, stores), { sshdPath, lanes: Number(values.lanes), log });
    const seconds = Math.round((performance.now() - startedMs) / 1_000);
    console.log(values.json ? JSON.stringify({ ...figures, seconds }) : { ...figures, seconds });
    return isSound(figures, { proof: true }) && isSound(figures.withoutProof, { proof: false }) ? 0 : 1;
  } finally {
    for (const store of stores) await store.close();
  }
}

type Way = {
  readonly sshdPath: string;
  readonly lanes: number;
  readonly log: (line: string) => void;
};

/** Those with proof of death, and beside them those without. */
async function figuresOf({ proved, silent }: Runs, { sshdPath, lanes, log }: Way) {
  log(`${proved.length} runs with proof of death, ${silent.length} without`);
  const perform = (runs: readonly Planned[], side: number, first: number) =>
    runAll({
      ...{ runs, lanes: side, sshdPath, network: { prefix: '127.76', first } },
      onResult: (result) => log(lineOf(result)),
    });
  const results = await Promise.all([perform(proved, lanes, 1), perform(silent, LANES.silent, 101)]);
  return { ...pointFigures(results[0]), withoutProof: silentFigures(results[1]) };
}

function valuesOf(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      points: { type: 'string' },
      strategy: { type: 'string' },
      store: { type: 'string' },
      lanes: { type: 'string', default: LANES.proof },
      silent: { type: 'boolean', default: false },
      strikes: { type: 'string', default: '1' },
    },
  }).values;
}

type Runs = { readonly proved: readonly Planned[]; readonly silent: readonly Planned[] };

/** Where nothing was chosen: all of them. */
function runsOf(
  { quick, silent, ...given }: ReturnType<typeof valuesOf>,
  stores: readonly CrashStore[],
): Runs {
  if (silent) return { proved: [], silent: silentRuns(stores) };
  const strategies = STRATEGIES.map((name) => ({ name }));
  const runs = plannedRuns({
    points: named('point', POINTS, given.points),
    strategies: named('strategy', strategies, given.strategy).map(({ name }) => name),
    stores,
    strikes: Number(given.strikes),
  });
  if (quick) return { proved: runs.filter((_, n) => n % QUICK === 0), silent: [] };
  const isAll = given.points === undefined && given.strategy === undefined;
  return { proved: runs, silent: isAll ? silentRuns(stores) : [] };
}

/** Those whose names were given, with commas between; all if none was. */
function named<T extends { readonly name: string }>(
  what: string,
  all: readonly T[],
  given: string | undefined,
): readonly T[] {
  const names = given?.split(',') ?? all.map(({ name }) => name);
  const unknown = names.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length === 0) return all.filter(({ name }) => names.includes(name));
  const known = all.map(({ name }) => name).join(', ');
  throw new Error(`no ${what} is called ${unknown.join(', ')}; there are: ${known}`);
}
