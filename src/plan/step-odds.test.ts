import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import type { StepRecord } from '../domain/step-record.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import { oddsOf } from './step-odds.ts';

const { plan } = buildPlan(request(), datacenter);
const record = (step: string, more: Partial<StepRecord> = {}): StepRecord => ({
  ...{
    deployment: deploymentId('d-1'),
    project: 'web',
    environment: 'production',
    sequence: 'rolling',
    step,
  },
  ...{ doneMs: Array<number>(100).fill(1_000), failed: {}, retried: {}, unknown: 0, forced: 0, ...more },
});
const of = (step: string, here: readonly StepRecord[], fleet: readonly StepRecord[] = []) => {
  const found = oddsOf(plan, { here, fleet }).find((one) => one.step === step);
  assert.ok(found);
  return found.mishaps;
};

test('where the log tells nothing what is usual counts, and a step has only what can happen to it', () => {
  assert.deepEqual(of('verify', []), { unwell: { share: 0.001, met: 0, of: 0 } });
  assert.deepEqual(Object.keys(of('drain', [])), ['unreachable', 'stays']);
  assert.deepEqual(Object.keys(of('start', [])), ['fails', 'hangs', 'lost', 'unreachable']);
  assert.deepEqual(of('settle', []), {});
});

test('each failure in the log counts for what it is, tries that were followed by another with them', () => {
  const start = record('start', {
    failed: { command_failed: 3, task_cancelled: 1 },
    retried: { host_unreachable: 5, outcome_unknown: 1 },
    unknown: 2,
  });
  const { fails, hangs, lost, unreachable } = of('start', [start]);
  assert.deepEqual(
    [fails, hangs, lost, unreachable].map((odds) => odds?.met),
    [3, 1, 3, 5],
  );
  assert.ok(
    (fails?.share ?? 0) > 3 / 400 && (fails?.share ?? 0) < 3 / 100,
    'between what is usual and what was met',
  );
});

test('the more the log tells, the less what is usual counts', () => {
  const many = record('verify', { doneMs: Array<number>(20_000).fill(1), failed: { health_failed: 200 } });
  assert.ok(Math.abs((of('verify', [many]).unwell?.share ?? 0) - 0.01) < 0.001);
});

test('a release that failed on most of its targets was bad, and says nothing of one that is not', () => {
  const bad = record('verify', { doneMs: [1], failed: { health_failed: 2 } });
  assert.equal(of('verify', [record('verify'), bad]).unwell?.met, 0);
});

test('the fleet counts only where little was done here', () => {
  const fleet = [record('install', { project: 'api', failed: { command_failed: 50 } })];
  assert.equal(of('install', [record('install')], fleet).fails?.met, 0);
  assert.equal(of('install', [record('install', { doneMs: [1, 2] })], fleet).fails?.met, 50);
});

test('connections that were cut are connections that stayed', () => {
  assert.equal(of('drain', [record('drain', { forced: 4, failed: { drain_timeout: 1 } })]).stays?.met, 5);
});
