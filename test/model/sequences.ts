import fc from 'fast-check';
import * as made from './commands.ts';
import type { Answer, Reaction } from './deployment-model.ts';
import type { Step } from './step.ts';
import * as verbs from './verbs.ts';

/** What is asked in what order: drawn so that deployments get far, fail in all ways, and verbs come at odd moments. */

const LONGEST = 100;
const reaction = fc.constantFrom<Reaction[]>('pause', 'pause', 'rollback', 'abort');
const sizes = fc.integer({ min: 1, max: 3 });
export const settings = fc.record({
  batch: sizes,
  atOnce: sizes,
  maxFailures: sizes,
  onFailure: fc.record({ health: reaction, other: reaction }),
});
/** Most worlds have a past: so many releases were deployed without a fault. */
export const past = fc.constantFrom(0, 1, 2, 2);

/** Mostly the first project, so that one deployment gets far. */
const of = fc.constantFrom(0, 0, 0, 1);
const version = fc.constantFrom(0, 1, 2, 2, 2);
const task = fc.nat(7);
const drives = fc.constantFrom(true, true, true, false);
const turn = fc.record({ drives });
const late = fc.constantFrom(false, false, false, true);
const age = fc.constantFrom(0, 0, 0, 0, 0, 1, 2);

type Kind = new (of: verbs.Steered) => verbs.Steer;
const steer = (...kinds: readonly Kind[]): fc.Arbitrary<verbs.Steer> =>
  fc
    .tuple(fc.constantFrom(...kinds), fc.record({ of, target: fc.nat(3), age, drives, late }))
    .map(([kind, args]) => new kind(args));
const VERBS: readonly Kind[] = [
  verbs.Pause,
  verbs.Resume,
  verbs.Abort,
  verbs.Rollback,
  verbs.Retry,
  verbs.Skip,
  verbs.SayDone,
  verbs.SayFailed,
];

/** Two verbs in one breath, of one deployment and mostly of one target. */
const both = fc
  .tuple(
    fc.constantFrom(...VERBS),
    fc.constantFrom(...VERBS),
    fc.record({ of, target: fc.nat(3), age: fc.constant(0), late }),
  )
  .map(([first, second, args]) => {
    return new verbs.Both(new first({ ...args, drives: false }), new second({ ...args, drives: true }));
  });
const report = (...kinds: readonly Answer[]): fc.Arbitrary<Step> =>
  fc.tuple(task, fc.constantFrom(...kinds), turn).map((args) => new made.Report(...args));

const weights: readonly (readonly [number, fc.Arbitrary<Step>])[] = [
  [40, report('done')],
  [14, report('failed', 'unhealthy', 'unknown')],
  [10, task.map((one) => new made.Finish(one))],
  [3, fc.constant(null).map((all) => new made.Finish(all))],
  [6, fc.tuple(of, version, fc.boolean()).map((args) => new made.Deploy(...args))],
  [2, of.map((place) => new made.ReturnParked(place))],
  [8, steer(verbs.Pause, verbs.Resume, verbs.Resume)],
  [3, steer(verbs.Abort, verbs.Rollback, verbs.Rollback)],
  [11, steer(verbs.Retry, verbs.Retry, verbs.Skip)],
  [8, steer(verbs.SayDone, verbs.SayDone, verbs.SayDoneUnseen, verbs.SayFailed)],
  [6, both],
  [3, fc.tuple(of, settings).map((args) => new made.Edit(...args))],
  [3, fc.nat(200).map((which) => new made.Again(which))],
  [1, turn.map((how) => new made.Day(how))],
  [1, fc.constant(null).map(() => new made.Takeover())],
];
const step = fc.oneof(...weights.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** `replayPath`: which of them were played when it failed. */
export const sequences = (replayPath: string | undefined) =>
  fc.commands([step], { maxCommands: LONGEST, size: 'max', ...(replayPath && { replayPath }) });
