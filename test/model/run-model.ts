import fc from 'fast-check';
import * as made from './commands.ts';
import type { Answer, Reaction } from './deployment-model.ts';
import type { Tally } from './model.ts';
import { driveBoth, driveUnseen, newWorld, type World } from './world.ts';

/** How a sequence is found again: what fast-check says of one that failed. */
export type ModelRuns = {
  readonly runs: number;
  readonly seed?: number;
  readonly path?: string;
  readonly replayPath?: string;
};
export type ModelFound = {
  readonly runs: number;
  readonly seed: number;
  readonly tally: Tally;
  /** What differs, with the shortest sequence that shows it and how to play it again; `null`: nothing. */
  readonly failure: string | null;
};

const LONGEST = 100;
const reaction = fc.constantFrom<Reaction[]>('pause', 'pause', 'rollback', 'abort');
const settings = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  atOnce: fc.integer({ min: 1, max: 3 }),
  maxFailures: fc.integer({ min: 1, max: 3 }),
  onFailure: fc.record({ health: reaction, other: reaction }),
});
/** Mostly the first project, so that one deployment gets far. */
const of = fc.constantFrom(0, 0, 0, 1);
const pick = fc.nat(7);
const version = fc.constantFrom(0, 1, 2, 2, 2);
const how = fc.record({ drives: fc.constantFrom(true, true, true, false) });
const steered = fc.record({
  of,
  target: fc.nat(3),
  age: fc.constantFrom(0, 0, 0, 0, 0, 1, 2),
  drives: fc.constantFrom(true, true, true, false),
});
const weighted = (weight: number, arbitrary: fc.Arbitrary<made.Step>) => ({ weight, arbitrary });
const answers = (...kinds: readonly Answer[]): fc.Arbitrary<made.Step> =>
  fc
    .tuple(pick, fc.constantFrom(...kinds), how)
    .map(([task, answer, turn]) => new made.Report(task, answer, turn));

/** Most worlds have a past: so many releases were deployed without a fault. */
const past = fc.constantFrom(0, 1, 2, 2);

const step: fc.Arbitrary<made.Step> = fc.oneof(
  weighted(40, answers('done')),
  weighted(14, answers('failed', 'unhealthy', 'unknown')),
  weighted(
    10,
    pick.map((task) => new made.Finish(task)),
  ),
  weighted(
    3,
    fc.constant(null).map((all) => new made.Finish(all)),
  ),
  weighted(
    6,
    fc.tuple(of, version, fc.boolean()).map((args) => new made.Deploy(...args)),
  ),
  weighted(
    2,
    of.map((place) => new made.ReturnParked(place)),
  ),
  weighted(
    3,
    steered.map((args) => new made.Pause(args)),
  ),
  weighted(
    5,
    steered.map((args) => new made.Resume(args)),
  ),
  weighted(
    1,
    steered.map((args) => new made.Abort(args)),
  ),
  weighted(
    2,
    steered.map((args) => new made.Rollback(args)),
  ),
  weighted(
    8,
    steered.map((args) => new made.Retry(args)),
  ),
  weighted(
    3,
    steered.map((args) => new made.Skip(args)),
  ),
  weighted(
    3,
    fc.tuple(of, settings).map((args) => new made.Edit(...args)),
  ),
  weighted(
    3,
    fc.nat(200).map((which) => new made.Again(which)),
  ),
  weighted(
    1,
    how.map((turn) => new made.Day(turn)),
  ),
  weighted(
    1,
    fc.constant(null).map(() => new made.Takeover()),
  ),
);

async function deployAll({ model, real }: World, version: number): Promise<void> {
  for (const place of model.places.keys()) await new made.Deploy(place, version, false).run(model, real);
  do await driveUnseen(model, real);
  while (await made.doWell(model, real, null));
}

/** Plays sequences of commands against the model and against Edge, and says where they first differ. */
export async function runModel({ runs, replayPath, ...chosen }: ModelRuns): Promise<ModelFound> {
  const tally: Tally = new Map();
  const commands = fc.commands([step], {
    maxCommands: LONGEST,
    size: 'max',
    ...(replayPath && { replayPath }),
  });
  const property = fc.asyncProperty(settings, past, commands, async (first, before, list) => {
    const world = await newWorld(first, tally);
    try {
      for (let version = 0; version < before; version += 1) await deployAll(world, version);
      await fc.asyncModelRun(() => world, list);
      await driveBoth(world.model, world.real);
    } finally {
      await world.real.close();
    }
  });
  const found = await fc.check(property, { numRuns: runs, ...chosen });
  const failure = found.failed ? (fc.defaultReportMessage(found) ?? 'failed') : null;
  return { runs: found.numRuns, seed: found.seed, tally, failure };
}
