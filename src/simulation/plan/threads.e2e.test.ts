import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pool, request, targets } from '../../../test/fixtures/configuration.ts';
import type { PlanSimulation } from '../../domain/plan-simulation.ts';
import { buildPlan } from '../../plan/build-plan.ts';
import { oddsOf } from '../../plan/step-odds.ts';
import { datacenter } from '../../platforms/datacenter/plan.ts';
import { seedOf } from './lot.ts';
import { threadedSimulator } from './threads.ts';

const { plan } = buildPlan(request(), datacenter);
const asked = (more: Partial<PlanSimulation> = {}): PlanSimulation => ({
  ...{ plan, parked: [], returning: [], seed: 7, runs: { good: 24, bad: 6 } },
  pools: [pool(targets(8).map(({ name }) => String(name)))],
  odds: oddsOf(plan, { here: [], fleet: [] }),
  ...more,
});
const never = new AbortController().signal;

test('the report is the same whoever did the runs, and tells good and bad releases apart', async () => {
  const told: number[] = [];
  const onProgress = (done: number) => void told.push(done);
  const [one, two] = [
    await threadedSimulator(1).simulate(asked(), { signal: never, onProgress }),
    await threadedSimulator(2).simulate(asked(), { signal: never, onProgress: () => {} }),
  ];
  assert.deepEqual(two, one);
  assert.deepEqual(told, [6, 16, 26, 30]);
  assert.deepEqual(one.violations, []);
  assert.deepEqual(
    one.cases.map(({ release, runs }) => [release, runs]),
    [
      ['good', 24],
      ['bad', 6],
    ],
  );
  const [good, bad] = one.cases;
  assert.ok((good?.endings.succeeded ?? 0) > 12);
  assert.ok(good?.pools.every(({ lowest, floor }) => lowest >= floor));
  assert.equal((bad?.endings.succeeded ?? 0) + (bad?.endings['with-exceptions'] ?? 0), 0);
  assert.ok((bad?.endings['rolled-back'] ?? 0) > 0);
  assert.ok((bad?.touched.most ?? 0) < 8);
  assert.equal(bad?.served.most, 0);
});

test('who has enough ends it: nothing runs on, and the next one is not held up', async () => {
  const simulator = threadedSimulator(2);
  const stop = new AbortController();
  const reason = new Error('enough');
  const first = simulator.simulate(asked({ runs: { good: 5_000, bad: 0 } }), {
    signal: stop.signal,
    onProgress: () => stop.abort(reason),
  });
  const second = simulator.simulate(asked({ runs: { good: 1, bad: 0 } }), {
    signal: never,
    onProgress: () => {},
  });
  await assert.rejects(first, reason);
  assert.equal((await second).cases[0]?.runs, 1);
});

test('a run in which Edge meets a fault of its own is told, with its number and what was broken', async () => {
  const broken = asked({ plan: { ...plan, sequences: {} }, runs: { good: 2, bad: 0 } });
  const { violations } = await threadedSimulator(1).simulate(broken, { signal: never, onProgress: () => {} });
  assert.deepEqual(
    violations.map(({ run, release }) => [run, release]),
    [
      [0, 'good'],
      [1, 'good'],
    ],
  );
  assert.ok(violations.every(({ invariant, message }) => invariant !== '' && message !== ''));
});

test('each run has a seed of its own', () => {
  const seeds = new Set(
    [1, 2].flatMap((seed) => Array.from({ length: 1_000 }, (_, run) => seedOf(seed, run))),
  );
  assert.equal(seeds.size, 2_000);
});
