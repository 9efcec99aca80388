import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pool, projectEnvironment, release, request, targets } from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { PlanRequest } from './request.ts';
import { planRollback } from './rollback.ts';
import { rollbackRelease } from './rollback-release.ts';

const build = (parts: Partial<PlanRequest> = {}): Plan => buildPlan(request(parts), datacenter).plan;
const one = release('1.0.0').id;

function rollback(plan: Plan, ...touched: readonly { target: number; held: boolean }[]): Plan | null {
  return planRollback({ id: deploymentId('d-1'), plan, touched }, 'why');
}

const batchesOf = (plan: Plan | null) =>
  (plan?.stages ?? []).flatMap(({ lanes }) => lanes.flatMap(({ batches }) => batches));

test('each touched target returns to its own before', () => {
  const two = release('1.5.0');
  const seen = (target: string, before: typeof one) => ({ target, before, parked: false, running: true });
  const plan = build({
    releases: [release('1.0.0'), two],
    fleet: [seen('web-1', one), seen('web-2', two.id)],
  });
  const back = rollback(plan, { target: 0, held: false }, { target: 1, held: false });
  assert.deepEqual(
    back?.targets.map((target) => target.release),
    [one, two.id],
  );
});

test('what is returned to is taken as it is, after a deployment that was forced', () => {
  const plan = build({ options: { force: true, targets: null } });
  assert.equal(plan.force, true);
  const back = rollback(plan, { target: 0, held: false });
  assert.equal(back && 'force' in back, false);
});

test('what is held comes first, all at once; then the rest', () => {
  const back = rollback(
    build(),
    { target: 0, held: false },
    { target: 3, held: true },
    { target: 1, held: true },
  );
  assert.deepEqual(
    batchesOf(back).map(({ sequence, parallel, targets: indexes }) => [
      sequence,
      parallel,
      indexes.map((at) => back?.targets[at]?.name),
    ]),
    [
      ['rolling', 2, ['web-2', 'web-4']],
      ['rolling', 1, ['web-1']],
    ],
  );
});

test('failures do not stop a rollback and it reacts to none', () => {
  const back = rollback(build(), { target: 0, held: true });
  assert.ok(batchesOf(back).every(({ countsFailures }) => !countsFailures));
  assert.deepEqual(back?.policy.onFailure, { health: 'pause', other: 'pause' });
});

test('a rollback says what caused it', () => {
  const back = rollback(build(), { target: 0, held: true });
  assert.deepEqual(back?.causedBy, { deployment: 'd-1', why: 'why' });
  assert.equal(back?.verb, 'rollback');
});

test('a restart is rolled back with install, to the release that ran before', () => {
  const back = rollback(build({ verb: 'restart', release: null }), { target: 0, held: false });
  assert.ok(back?.sequences.rolling?.some(({ id }) => id === 'install'));
  assert.equal(back?.targets[0]?.release, one);
});

test('others return last', () => {
  const plan = build({
    pools: [
      pool(
        targets(8).map(({ name }) => String(name)),
        ['web-1'],
      ),
    ],
  });
  const back = rollback(plan, { target: 0, held: false }, { target: 1, held: false });
  assert.deepEqual(
    batchesOf(back).map(({ sequence }) => sequence),
    ['rolling', 'others'],
  );
});

test('a hard deployment is rolled back hard', () => {
  const back = rollback(build({ hard: true }), { target: 0, held: true });
  assert.deepEqual(
    batchesOf(back).map(({ sequence }) => sequence),
    ['hard'],
  );
});

test('there is no rollback without a known before', () => {
  assert.equal(rollback(build({ fleet: [] }), { target: 0, held: true }), null);
  assert.equal(rollback(build()), null);
});

test('a rollback is never rolled back', () => {
  assert.equal(rollback(build({ verb: 'rollback' }), { target: 0, held: true }), null);
});

test('each touched target of a large plan is in exactly one batch of its rollback', () => {
  const plan = build({ projectEnvironment: projectEnvironment({ targets: targets(100) }) });
  const back = rollback(plan, ...plan.targets.map((_, target) => ({ target, held: target % 3 === 0 })));
  const placed = batchesOf(back).flatMap(({ targets: indexes }) => indexes);
  assert.deepEqual(
    placed.toSorted((a, b) => a - b),
    plan.targets.map((_, index) => index),
  );
});

test('a rollback by hand goes to the last good release before the newest', () => {
  const [first, second, third] = [release('1.0.0'), release('2.0.0'), release('3.0.0')];
  const past = (each: typeof first, status: 'succeeded' | 'failed', exceptions = 0) => ({
    release: each.id,
    status,
    exceptions,
  });
  const history = [past(third, 'failed'), past(second, 'succeeded', 1), past(first, 'succeeded')];
  assert.equal(rollbackRelease(history, [first, second, third]).version, '1.0.0');
  const bad = { ...first, bad: { by: 'ada', reason: 'leaks', at: 0 } };
  assert.throws(() => rollbackRelease(history, [bad, second, third]), { code: 'release_missing_rollback' });
});
