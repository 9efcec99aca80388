import fc from 'fast-check';
import * as made from './commands.ts';
import type { Tally } from './model.ts';
import { past, sequences, settings } from './sequences.ts';
import { driveBoth, driveUnseen, newWorld, type World } from './world.ts';

/** `seed`, `path` and `replayPath` find a sequence again; they are said of one that failed. */
export type ModelRuns = {
  readonly runs: number;
  readonly seed?: number;
  readonly path?: string;
  readonly replayPath?: string;
  /** What would begin after this time is left out. */
  readonly withinMs?: number;
};
export type ModelFound = {
  /** How many were played; of a failure, the last of them. */
  readonly runs: number;
  readonly seed: number;
  readonly tally: Tally;
  /** What differs, with the shortest sequence that shows it and how to play it again; `null`: nothing. */
  readonly failure: string | null;
};

/** Plays sequences of commands against the model and against Edge, and says where they first differ. */
export async function runModel({
  runs,
  replayPath,
  withinMs = Number.POSITIVE_INFINITY,
  ...chosen
}: ModelRuns): Promise<ModelFound> {
  const startedMs = performance.now();
  const tally: Tally = new Map();
  let played = 0;
  const property = fc.asyncProperty(settings, past, sequences(replayPath), async (first, before, list) => {
    if (performance.now() - startedMs > withinMs) return;
    played += 1;
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
  const { seed, failed, numRuns } = found;
  return { runs: failed ? numRuns : played, seed, tally, failure: failed ? whyFailed(found) : null };
}

async function deployAll({ model, real }: World, version: number): Promise<void> {
  for (const place of model.places.keys()) await new made.Deploy(place, version, false).run(model, real);
  do await driveUnseen(model, real);
  while (await made.doWell(model, real, null));
}

function whyFailed<T>(found: fc.RunDetails<T>): string {
  const { seed, counterexamplePath, errorInstance } = found;
  const report = fc.defaultReportMessage(found) ?? 'interrupted before the first run';
  const replay = /replayPath="([^"]*)"/.exec(report)?.[1];
  const again = `npm run model -- --seed ${seed} --path ${counterexamplePath} --replay '${replay}'`;
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return `${report}\n\n${why}\n\nPlay it again: ${again}`;
}
