import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectEnvironment, request, targets } from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import type { StepRecord } from '../domain/step-record.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import { forecast } from './forecast.ts';
import type { PlanRequest } from './request.ts';

const planned = (parts: Partial<PlanRequest> = {}) => buildPlan(request(parts), datacenter).plan;
const STEPS = ['fetch', 'guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable'];

const record = (step: string, doneMs: readonly number[], more: Partial<StepRecord> = {}): StepRecord => ({
  ...{ deployment: deploymentId('d-1'), project: 'web', environment: 'production', sequence: 'rolling' },
  ...{ step, doneMs, failed: {}, retried: {}, unknown: 0, forced: 0, ...more },
});
const all = (doneMs: readonly number[], more: Partial<StepRecord> = {}) =>
  STEPS.map((step) => record(step, doneMs, more));

test('without a history the usual times of the steps are a guess, and said to be one', () => {
  const { p50Ms, p90Ms, basis } = forecast(planned());
  assert.equal(p50Ms, p90Ms);
  assert.equal(basis, 'a guess');
});

test('what steps took here counts, batch after batch, so many at once as the plan allows', () => {
  const plan = planned();
  const batches = plan.stages.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.batches));
  const rounds = batches.reduce((sum, { targets: of, parallel }) => sum + Math.ceil(of.length / parallel), 0);
  const { p50Ms, p90Ms, basis } = forecast(plan, { here: all([3_000, 3_000, 3_000]), fleet: [] });
  // Only the first batch waits for its targets to be prepared.
  assert.equal(p50Ms, 3_000 + rounds * ((STEPS.length - 1) * 3_000 + 2_000));
  assert.equal(p90Ms, p50Ms);
  assert.equal(basis, 'from 1 deployment here');
});

test('what varies gives a range', () => {
  const { p50Ms, p90Ms } = forecast(planned(), { here: all([1_000, 2_000, 9_000]), fleet: [] });
  assert.ok(p90Ms > p50Ms * 1.05, `${p50Ms} to ${p90Ms}`);
});

test('a step that was done here too seldom is taken from the fleet, and one that nobody did is guessed', () => {
  const here = all([2_000, 2_000, 2_000]).filter(({ step }) => step !== 'install' && step !== 'enable');
  const { steps, basis } = forecast(planned(), {
    here: [...here, record('install', [1])],
    fleet: [record('install', [7_000, 7_000, 7_000], { project: 'api', sequence: 'plain' })],
  });
  const of = (name: string) => steps.find(({ step }) => step === name);
  assert.deepEqual([of('install')?.from, of('install')?.p50Ms], ['fleet', 7_000]);
  assert.equal(of('enable')?.from, 'guess');
  assert.equal(of('settle')?.from, 'plan');
  assert.equal(basis, 'from 1 deployment here; from the fleet: install; guessed: enable');
});

test('what a step took in the same sequence counts before others', () => {
  const cold = record('drain', [5, 5, 5], { sequence: 'cold' });
  const drain = (here: readonly StepRecord[]) =>
    forecast(planned(), { here, fleet: [] }).steps.find(({ step }) => step === 'drain');
  assert.equal(drain([cold])?.p50Ms, 5);
  assert.equal(drain([cold, record('drain', [8_000, 8_000, 8_000])])?.p50Ms, 8_000);
});

test('a check of health takes no less than the plan has it wait, whatever it took before', () => {
  const { steps } = forecast(planned(), { here: all([100, 100, 100]), fleet: [] });
  assert.equal(steps.find(({ step }) => step === 'verify')?.p50Ms, 2_000);
});

test('zones side by side take as long as the slowest of them', () => {
  const zoned = (zones: string) =>
    planned({
      environment: { ...request().environment, zones: ['a', 'b'].map((name) => ({ name, pool: 'default' })) },
      projectEnvironment: projectEnvironment({
        strategy: { zones, canary: 0, batches: 1, settleMs: 0 },
        targets: targets(8, (index) => ({
          zone: index < 6 ? 'a' : 'b',
          member: `${index < 6 ? 'a' : 'b'}/${index}`,
        })),
        floors: { a: 1, b: 1 },
      }),
      pools: [],
    });
  const history = { here: all([1_000, 1_000, 1_000]), fleet: [] };
  const [inOrder, sideBySide] = ['in-order', 'side-by-side'].map(
    (how) => forecast(zoned(how), history).p50Ms,
  );
  assert.equal(inOrder, 2 * 1_000 + 8 * 8_000);
  assert.equal(sideBySide, 1_000 + 6 * 8_000);
});

test('a plan of 20,000 targets is forecast in a bounded number of draws', () => {
  const plan = planned({
    projectEnvironment: projectEnvironment({ targets: targets(20_000), floors: { web: 1 } }),
  });
  const { p50Ms, p90Ms } = forecast(plan, { here: all([1_000, 2_000, 4_000]), fleet: [] });
  assert.ok(p50Ms > 0 && p90Ms >= p50Ms);
});
