import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, projectEnvironment, request } from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import { explain } from './explain.ts';
import { planHash } from './hash.ts';
import { renderPlan } from './render.ts';
import type { PlanRequest } from './request.ts';
import { planRollback } from './rollback.ts';

const DAY_MS = 86_400_000;
const build = (parts: Partial<PlanRequest> = {}) => buildPlan(request(parts), datacenter);
const needing = (approvals: object, over?: object): Partial<PlanRequest> => ({
  environment: environment({ policy: { approvals } }),
  ...(over && { projectEnvironment: projectEnvironment({ policy: { approvals: over } }) }),
});

test('a plan says how many must approve it, as a part of what its hash covers', () => {
  const two = build(needing({ count: 2 }));
  assert.deepEqual(two.plan.approvals, { count: 2, limitMs: DAY_MS });
  const one = build(needing({ count: 1 }));
  assert.notEqual(one.hash, two.hash);
  for (const verb of ['deploy', 'restart', 'rollback'] as const)
    for (const hard of [false, true]) {
      const { plan } = build({ ...needing({ count: 2 }), verb, hard });
      assert.equal(plan.approvals?.count, 2);
    }
});

test('a plan that nobody has to approve is the one that it always was', () => {
  const { plan, hash } = build();
  assert.ok(!('approvals' in plan));
  assert.equal(build(needing({ count: 0 })).hash, hash);
  assert.equal(build(needing({ count: 2 }, { count: 0 })).hash, hash);
});

test('a project says otherwise for itself, of one field or both', () => {
  const approvals = (of: object, over: object) => build(needing(of, over)).plan.approvals;
  assert.deepEqual(approvals({ count: 1, limitMs: 5 }, { count: 3 }), { count: 3, limitMs: 5 });
  assert.deepEqual(approvals({ count: 1, limitMs: 5 }, { limitMs: 7 }), { count: 1, limitMs: 7 });
  const own = build({ projectEnvironment: projectEnvironment({ policy: { approvals: { count: 1 } } }) });
  assert.deepEqual(own.plan.approvals, { count: 1, limitMs: DAY_MS });
});

test('the digests of the artifacts are in what is approved', () => {
  const { plan, hash } = build(needing({ count: 1 }));
  const releases = Object.fromEntries(
    Object.entries(plan.releases).map(([id, release]) => [
      id,
      {
        ...release,
        artifacts: release.artifacts.map((artifact) => ({ ...artifact, sha256: 'f'.repeat(64) })),
      },
    ]),
  );
  assert.ok(Object.values(releases).some(({ artifacts }) => artifacts.length > 0));
  assert.notEqual(planHash({ ...plan, releases }), hash);
});

test('the rollback that a failure causes is covered by what was approved, and waits for nobody', () => {
  const { plan } = build(needing({ count: 2 }));
  const back = planRollback(
    { id: deploymentId('d-1'), plan, touched: [{ target: 0, held: true }] },
    'failed',
  );
  assert.ok(back && !('approvals' in back));
});

test('what needs no approval says why, where one would be needed otherwise', () => {
  const codes = (parts: Partial<PlanRequest>) => build(parts).notes.map(({ code }) => code);
  assert.ok(codes({ ...needing({ count: 2 }), unapproved: 'goes-back' }).includes('no_approval_needed'));
  assert.ok(!codes({ unapproved: 'goes-back' }).includes('no_approval_needed'));
  assert.ok(!codes(needing({ count: 2 })).includes('no_approval_needed'));
  assert.ok(!('approvals' in build({ ...needing({ count: 2 }), unapproved: 'returns' }).plan));
});

test('the text of a plan says how many people, and for how long', () => {
  const text = (count: number) => renderPlan(explain(build(needing({ count }))));
  assert.match(
    text(1),
    /^starts once 1 person other than who asks for it has approved this plan; aborts after 24 h without/m,
  );
  assert.match(
    text(2),
    /^starts once 2 people other than who asks for it have approved this plan; aborts after 24 h without/m,
  );
});
