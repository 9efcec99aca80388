import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  pool,
  project,
  projectEnvironment,
  release,
  request,
  targets,
} from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import type { StepRecord } from '../domain/step-record.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { LastDeployment, PlanRequest } from './request.ts';

const notes = (parts: Partial<PlanRequest> = {}) => buildPlan(request(parts), datacenter).notes;
const codes = (parts: Partial<PlanRequest> = {}) => notes(parts).map(({ code }) => code);
const said = (parts: Partial<PlanRequest>, code: string) =>
  notes(parts).find((note) => note.code === code)?.message ?? '';
const inPlace = (fields: object) => ({ projectEnvironment: projectEnvironment({ ...fields }) });
const FAILED: LastDeployment = {
  ...{ id: deploymentId('d-9'), verb: 'deploy', version: '1.5.0', status: 'failed', causedBy: null },
};
const BAD = { by: 'ada', reason: 'loses orders', at: 0 };

test('a plain, safe plan has no note', () => {
  const last: LastDeployment = {
    ...{ id: deploymentId('d-1'), verb: 'deploy', version: '1.0.0', status: 'succeeded', causedBy: null },
  };
  assert.deepEqual(codes({ past: { history: { here: [], fleet: [] }, last } }), []);
});

test('targets without a release from before are named, since a rollback has nowhere to go', () => {
  const before = release('1.0.0').id;
  const fleet = targets(8)
    .slice(0, 6)
    .map(({ name }) => ({ target: String(name), before, parked: false, running: true }));
  assert.deepEqual(codes({ fleet }), ['no_rollback_release']);
  assert.match(said({ fleet }, 'no_rollback_release'), /^Of 2 of 8 targets .*: web-7, web-8\.$/);
  assert.deepEqual(codes({ fleet, verb: 'restart', release: null }), []);
});

test('a release that is marked bad is told of, whether it comes or would come back', () => {
  assert.deepEqual(codes({ releases: [{ ...release('1.0.0'), bad: BAD }] }), ['rollback_to_bad']);
  assert.deepEqual(codes({ release: { ...release('2.0.0'), bad: BAD } }), ['release_bad']);
});

test('a health check that does not read the version may pass for an old release', () => {
  const health = { check: { kind: 'tcp' } };
  assert.deepEqual(codes({ project: project({ health }) }), ['version_unverified']);
  assert.deepEqual(codes({ project: project({ health }), verb: 'restart', release: null }), []);
});

test('without a canary the size of the first batch is told, unless it is one target anyway', () => {
  const policy = { minInService: '50%' };
  const strategy = { canary: 0, batches: ['50%', '100%'] };
  assert.deepEqual(codes(inPlace({ policy, strategy })), ['no_canary']);
  assert.match(said(inPlace({ policy, strategy }), 'no_canary'), /4 of 8/);
  assert.deepEqual(codes(inPlace({ strategy: { canary: 0, batches: 1 } })), []);
});

test('more than half of the targets at once is told', () => {
  const policy = { minInService: 1 };
  assert.deepEqual(codes(inPlace({ policy, strategy: { batches: '100%' } })), ['large_batch']);
  assert.deepEqual(codes(inPlace({ policy, strategy: { batches: ['50%', '100%'] } })), []);
});

test('budgets that no failure of the whole fleet would spend are told', () => {
  const policyWith = (count: number) => ({
    policy: { maxFailures: { batch: { count }, zone: { count }, deployment: { count } } },
  });
  assert.deepEqual(codes(inPlace(policyWith(8))), ['budget_unspendable']);
  assert.deepEqual(codes(inPlace(policyWith(7))), []);
  const percent = { percent: 100 };
  const shares = { policy: { maxFailures: { batch: percent, zone: percent, deployment: percent } } };
  assert.deepEqual(codes(inPlace(shares)), [], 'the canary alone is a batch, and spends its budget');
});

test('a floor with one member to spare, and a pool of one, are told', () => {
  assert.deepEqual(codes(inPlace({ targets: targets(4) })), ['no_spare']);
  assert.match(said(inPlace({ targets: targets(4) }), 'no_spare'), /3 of 4/);
  const one = { targets: targets(1), floors: { web: 0 } };
  assert.deepEqual(codes(inPlace(one)), ['pool_of_one']);
});

test('a zone whose members may all be out at once is told where a pool spans zones', () => {
  const zoned = {
    environment: environment({ zones: [{ name: 'east' }, { name: 'west' }] }),
    ...inPlace({
      targets: targets(8, (index) => ({ zone: index < 6 ? 'east' : 'west' })),
      strategy: { batches: '100%', canary: 0 },
    }),
  };
  assert.deepEqual(
    codes(zoned).filter((code) => code === 'zone_emptied'),
    ['zone_emptied'],
  );
  assert.match(said(zoned, 'zone_emptied'), /all of west/);
  const narrow = {
    ...zoned,
    ...inPlace({ targets: targets(8, (index) => ({ zone: index < 5 ? 'east' : 'west' })) }),
  };
  assert.ok(!codes(narrow).includes('zone_emptied'));
});

test('a floor per zone keeps a zone from being emptied, and one with a single member to spare is told', () => {
  const floored = (minInServicePerZone: number) => ({
    environment: environment({ zones: [{ name: 'east' }, { name: 'west' }] }),
    ...inPlace({
      targets: targets(8, (index) => ({ zone: index < 6 ? 'east' : 'west' })),
      strategy: { batches: '100%', canary: 0 },
      policy: { minInServicePerZone },
    }),
  });
  assert.ok(codes(floored(0)).includes('zone_emptied'));
  assert.ok(!codes(floored(1)).includes('zone_emptied'));
  assert.match(said(floored(1), 'no_spare'), /floor of zone west of lb:9999\/web is 1 of 2/);
});

test('drains that often had to cut connections are told where this plan would cut them too', () => {
  const drain = (forced: number): StepRecord => ({
    ...{ deployment: deploymentId('d-1'), project: 'web', environment: 'production', sequence: 'rolling' },
    ...{ step: 'drain', doneMs: Array(20).fill(1_000), failed: {}, retried: {}, unknown: 0, forced },
  });
  const past = (forced: number) => ({ past: { history: { here: [drain(forced)], fleet: [] }, last: null } });
  assert.match(said(past(3), 'drain_cuts'), /^3 of the last 20/);
  assert.deepEqual(codes(past(1)), []);
});

test('what nobody has seen the end of is told, where the plan works on its target', () => {
  const left = (target: string) => ({
    past: {
      history: { here: [], fleet: [] },
      last: null,
      leftRunning: [{ target, step: 'stop', deployment: deploymentId('d-9') }],
    },
  });
  assert.deepEqual(codes(left('web-2')), ['may_still_run']);
  assert.match(said(left('web-2'), 'may_still_run'), /the end of stop on web-2: it may still run/);
  assert.deepEqual(codes(left('elsewhere-1')), []);
});

test('how the last deployment here ended is told if it was not well', () => {
  const past = (more: Partial<LastDeployment>) => ({
    past: {
      history: { here: [], fleet: [] },
      last: { ...FAILED, ...more },
    },
  });
  assert.deepEqual(codes(past({})), ['last_failed']);
  assert.match(said(past({}), 'last_failed'), /deploy of 1\.5\.0 \(d-9\), failed/);
  const rolledBack = past({ verb: 'rollback', status: 'succeeded', causedBy: deploymentId('d-8') });
  assert.deepEqual(codes(rolledBack), ['last_rolled_back']);
  const pools = [pool(targets(8).map(({ name }) => String(name)))];
  assert.deepEqual(codes({ ...past({}), verb: 'rollback', pools }), []);
});
