import assert from 'node:assert/strict';
import { test } from 'node:test';
import { project, projectEnvironment, release, request, targets } from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { PlanRequest } from './request.ts';
import { planRollback } from './rollback.ts';

const ARTIFACTS = [{ name: 'web.jar', path: '/web.jar' }];
const configured = (version: string, fields: object = {}) =>
  release(version, {
    artifacts: ARTIFACTS,
    files: [{ path: 'web.conf', content: `a=${version}\n` }],
    ...fields,
  });
const NAMES = targets(8).map(({ name }) => String(name));
const fleet = (more: Partial<PlanRequest['fleet'][number]> = {}) =>
  NAMES.map((target) => ({
    ...{ target, before: configured('1.0.0').id, parked: false, running: true },
    ...more,
  }));
/** The digest of artifacts is that of the version in the fixture, so that both releases are of one. */
const sameArtifacts = { ...configured('2.0.0'), artifacts: configured('1.0.0').artifacts };

const build = (parts: Partial<PlanRequest> = {}) =>
  buildPlan(
    request({
      ...{ reload: true, release: sameArtifacts, releases: [configured('1.0.0')], fleet: fleet() },
      project: project({ commands: { reload: ['bin/reload'] } }),
      ...parts,
    }),
    datacenter,
  );
const sequencesOf = ({ stages }: ReturnType<typeof build>['plan']) =>
  stages.flatMap(({ lanes }) => lanes.flatMap(({ batches }) => batches.map(({ sequence }) => sequence)));
const refused = (parts: Partial<PlanRequest>, why: RegExp) =>
  assert.throws(() => build(parts), { code: 'reload_impossible', message: why });

test('a reload goes through the batches of a deployment, and takes nothing out of service', () => {
  const { plan, capacity } = build();
  assert.deepEqual([...new Set(sequencesOf(plan))], ['reload']);
  assert.equal(plan.stages[0]?.lanes[0]?.batches[0]?.name, 'canary');
  for (const { before, lowest } of capacity) assert.equal(lowest, before);
});

test('a reload that is rolled back starts its targets anew, behind the floor', () => {
  const { plan } = build();
  const back = planRollback({ id: deploymentId('d1'), plan, touched: [{ target: 0, held: false }] }, 'why');
  assert.ok(back);
  assert.deepEqual(sequencesOf(back), ['rolling']);
  assert.equal(back.floors.length, 1);
});

test('a target without a balancer is reloaded too', () => {
  const placed = projectEnvironment({
    targets: targets(2).map(({ member: _, ...target }) => target),
  });
  assert.deepEqual([...new Set(sequencesOf(build({ projectEnvironment: placed }).plan))], ['reload-plain']);
});

test('a target that is parked, or out of service, is done as ever', () => {
  const [first, ...others] = fleet();
  assert.ok(first);
  const { plan } = build({ fleet: [{ ...first, parked: true }, ...others] });
  const used = new Set(sequencesOf(plan));
  assert.deepEqual([used.has('rolling'), used.has('reload')], [true, true]);
});

test('other artifacts, or ones of which nobody knows, are refused with the name of the target', () => {
  refused({ release: configured('2.0.0') }, /web-1 has other artifacts \(1\.0\.0\) than 2\.0\.0/);
  refused({ fleet: fleet({ before: null }) }, /Nobody knows .* web-1/);
  refused({ fleet: fleet({ unproven: true }) }, /Nobody knows .* web-1/);
  refused({ releases: [] }, /Nobody knows .* web-1/);
});

test('a reload without a command for it, or one that is hard, is refused', () => {
  refused({ project: project() }, /no command to reload in production/);
  refused({ hard: true }, /not hard/);
  refused({ verb: 'restart', release: null }, /Only a deployment/);
});
