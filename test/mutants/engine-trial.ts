// A small stand-in for the simulation, which imports the engine alone: `--seeds N --from M`. With it the tests here prove
// within seconds that a planted bug is in the code that runs. Its last line is like that of the simulation.
import { parseArgs } from 'node:util';
import type { Plan } from '../../src/domain/plan.ts';
import { isTerminal } from '../../src/domain/status.ts';
import { EngineWorld } from '../support/engine-world.ts';
import { samplePlan } from '../support/sample-plan.ts';
import { seeded } from '../support/seeded.ts';
import type { Turns } from '../support/turns.ts';

const { values: options } = parseArgs({
  options: { seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' } },
  strict: false,
});
const HOW = ['good', 'good', 'good', 'good', 'late', 'health', 'command', 'unknown'] as const;
const VERBS = ['pause', 'resume', 'resume', 'abort', 'rollback'] as const;

type Random = () => number;
const chosen = <T>(random: Random, from: readonly T[]): T => {
  const item = from[Math.floor(random() * from.length)];
  if (item === undefined) throw new RangeError('nothing to choose from');
  return item;
};

function planOf(random: Random): Plan {
  const react = chosen(random, ['rollback', 'pause', 'abort'] as const);
  const plan = samplePlan({
    batches: [[0], [1, 2, 3]],
    lanes: [
      [
        [4, 5],
        [6, 7],
      ],
    ],
    parallel: chosen(random, [1, 2, 4]),
    floor: { percent: chosen(random, [0, 50, 75]) },
    policy: {
      maxFailures: { batch: {}, zone: {}, deployment: { count: chosen(random, [1, 2, 3]) } },
      onFailure: { health: react, other: react },
    },
  });
  return { ...plan, ...inRolling(plan) };
}

/** Under the name by which a rollback finds the steps of a target. */
function inRolling({ stages, sequences: { main = [] } }: Plan): Pick<Plan, 'stages' | 'sequences'> {
  const renamed = stages.map((stage) => ({
    ...stage,
    lanes: stage.lanes.map((lane) => ({
      ...lane,
      batches: lane.batches.map((batch) => ({ ...batch, sequence: 'rolling' })),
    })),
  }));
  return { stages: renamed, sequences: { rolling: main } };
}

function play(random: Random): void {
  const world = new EngineWorld([planOf(random)], {
    configured: 8,
    sick: random() < 0.3 ? ['web-7:80'] : [],
    foreign: [],
    deaf: random() < 0.2,
  });
  for (let moves = 0; moves < 60; moves += 1) move(world, chosen(random, world.deployments), random);
  for (let round = 0; round < 500 && !world.isOver; round += 1) heal(world, round);
  for (const { state } of world.deployments)
    if (!isTerminal(state.status)) throw new Error(`does not end: ${state.status} ${state.reason}`);
}

function move(world: EngineWorld, turns: Turns, random: Random): void {
  const dice = random();
  const pick = Math.floor(random() * 50);
  if (dice < 0.8) world.answer(turns, pick, { how: chosen(random, HOW), count: chosen(random, [1, 1, 3]) });
  else if (dice < 0.86) world.submit(turns, { kind: chosen(random, VERBS), reason: 'because' });
  else if (dice < 0.94)
    world.submit(turns, {
      kind: chosen(random, ['retry', 'skip'] as const),
      target: pick % 8,
      reason: 'because',
    });
  else world.pass(chosen(random, [2_000, 61_000, 121_000]));
}

function heal(world: EngineWorld, round: number): void {
  world.pass(10_000);
  for (const turns of [...world.deployments]) {
    world.answer(turns, round, { how: 'good', count: 2 });
    const kind = round < 250 ? 'resume' : 'abort';
    if (turns.state.status === 'paused') world.submit(turns, { kind, reason: 'because' });
  }
}

const from = Number(options.from);
const seeds = Number(options.seeds);
let found: object = { seeds, violations: 0 };
for (let seed = from; seed < from + seeds; seed += 1) {
  try {
    play(seeded(seed));
  } catch (thrown) {
    const invariant = thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown);
    found = { seeds: seed - from + 1, violations: 1, seed, invariant };
    process.exitCode = 1;
    break;
  }
}
console.log(JSON.stringify(found));
