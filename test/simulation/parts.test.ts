import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draw } from '../../src/simulation/draw.ts';
import { Faults } from '../../src/simulation/faults.ts';
import { Life } from '../../src/simulation/life.ts';
import { type Link, wired } from '../../src/simulation/link.ts';
import { Schedule } from '../../src/simulation/schedule.ts';
import { shrink } from '../../src/simulation/shrink.ts';
import { scenarioOf } from '../../src/simulation/swarm.ts';
import { whileTrapped } from '../../src/simulation/trap.ts';

async function all(schedule: Schedule): Promise<void> {
  while (await schedule.step());
}

function world(trip: Link['trip'] = () => ({ requestMs: 1, replyMs: 1 })) {
  const schedule = new Schedule(new Draw(1));
  const faults = new Faults({ schedule, draw: new Draw(2), strengths: {}, untilMs: 0 });
  const life = new Life('a process', schedule);
  const link: Link = { code: 'store_unavailable', deadlineMs: 1_000, trip };
  let calls = 0;
  const port = wired({ ask: async () => (calls += 1) }, { schedule, faults, life, link });
  return { schedule, life, port, calls: () => calls };
}

test('things happen in the order of their times, each with all that follows from it', async () => {
  const schedule = new Schedule(new Draw(7));
  const seen: string[] = [];
  for (const ms of [30, 10, 20])
    schedule.after(ms, () => void Promise.resolve().then(() => seen.push(`${ms} at ${schedule.nowMs}`)));
  schedule.after(15, () => seen.push('never'))();
  await all(schedule);
  assert.deepEqual(seen, ['10 at 10', '20 at 20', '30 at 30']);
});

test('the trap stops whatever asks the real world, and nothing outside of a simulation', async () => {
  const asks: readonly (() => unknown)[] = [
    () => Date.now(),
    () => new Date(),
    () => Math.random(),
    () => setTimeout(() => undefined, 1),
    () => performance.now(),
  ];
  for (const ask of asks)
    await assert.rejects(
      whileTrapped(() => void ask()),
      /simulated code used/,
    );
  for (const ask of asks.filter((_, index) => index !== 3)) assert.ok(ask());
  await whileTrapped(() => assert.equal(new Date(0).getTime(), 0));
});

test('a call whose reply is lost was done, and says so to nobody until its deadline', async () => {
  const { schedule, port, calls } = world(() => ({ requestMs: 1, replyMs: 1, lost: 'reply' }));
  const asked = assert.rejects(port.ask(), { code: 'store_unavailable' });
  await all(schedule);
  await asked;
  assert.equal(calls(), 1);
  assert.equal(schedule.nowMs, 1_000);
});

test('what a process was told after its death is told to nobody', async () => {
  const { schedule, life, port, calls } = world();
  let answered = false;
  void port.ask().then(() => {
    answered = true;
  });
  schedule.after(1, () => life.crash());
  await all(schedule);
  assert.equal(calls(), 1);
  assert.equal(answered, false);
});

test('a request that waits for its turn is not done for who died and hung up, and is for who was cut off', async () => {
  for (const hasHungUp of [true, false]) {
    const { schedule, life, port, calls } = world(() => ({ requestMs: 50, replyMs: 1, isQueued: true }));
    void port.ask();
    schedule.after(10, () => {
      life.crash();
      life.hasHungUp = hasHungUp;
    });
    await all(schedule);
    assert.equal(calls(), hasHungUp ? 0 : 1);
  }
});

test('faults tell when they last struck a part, to the end of what lasts', async () => {
  const schedule = new Schedule(new Draw(1));
  const strengths = { 'host.cut': 1, 'process.pause': 1 };
  const faults = new Faults({ schedule, draw: new Draw(2), strengths, untilMs: 1_000 });
  assert.equal(faults.struckAtMs(new Set(['host', 'process'])), Number.NEGATIVE_INFINITY);
  schedule.after(20, () => faults.strikes('host.cut'));
  schedule.after(30, () => faults.strikes('process.pause') && faults.lasts('process.pause', 500));
  await all(schedule);
  assert.equal(faults.struckAtMs(new Set(['host'])), 20);
  assert.equal(faults.struckAtMs(new Set(['host', 'process'])), 530);
});

test('a process that is paused hears everything when it goes on', async () => {
  const { schedule, life, port } = world();
  let at = 0;
  void port.ask().then(() => {
    at = schedule.nowMs;
  });
  life.pause(500);
  await all(schedule);
  assert.equal(at, 500);
});

test('a seed gives the same scenario each time', () => {
  assert.deepEqual(scenarioOf(42), scenarioOf(42));
  assert.notDeepEqual(scenarioOf(42), scenarioOf(43));
});

test('some seeds have a floor for each zone that may bind before that of the pool', () => {
  const zoned = Array.from({ length: 300 }, (_, seed) => scenarioOf(seed)).filter(
    ({ policy, targets, zones }) =>
      policy.minInServicePerZone !== undefined &&
      zones.length > 1 &&
      new Set(targets.flatMap(({ zone, members }) => members.map(({ pool }) => `${pool} ${zone}`))).size >
        new Set(targets.flatMap(({ members }) => members.map(({ pool }) => pool))).size,
  );
  assert.ok(zoned.length >= 30, `${zoned.length} of 300`);
});

test('some seeds have teams with steps of their own, of each action that they may have', () => {
  const strategies = Array.from({ length: 300 }, (_, seed) => scenarioOf(seed)).flatMap(({ projects }) =>
    projects.flatMap(({ strategy }) =>
      strategy.steps === undefined ? [] : [JSON.stringify(strategy.steps)],
    ),
  );
  for (const action of ['host.run@1', 'wait.settle@1', 'health.verify@1', 'whileServing'])
    assert.ok(strategies.filter((steps) => steps.includes(action)).length >= 10, action);
});

test('what fails is made smaller until nothing can be left out', async () => {
  const scenario = {
    ...scenarioOf(3),
    strengths: { 'host.cut': 0.1, 'bell.lost': 0.5, 'server.crash': 0.1 },
  };
  const { scenario: smallest } = await shrink(
    scenario,
    async ({ strengths, targets }) => strengths['host.cut'] !== undefined && targets.length >= 2,
  );
  assert.deepEqual(Object.keys(smallest.strengths), ['host.cut']);
  assert.equal(smallest.targets.length, 2);
  assert.deepEqual(smallest.asks, []);
});
