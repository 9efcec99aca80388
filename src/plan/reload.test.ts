import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  pool,
  project,
  projectEnvironment,
  release,
  request,
  targets,
} from '../../test/fixtures/configuration.ts';
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

test('no more are told to reload at once than the floor could spare, were all of them lost', () => {
  const placed = projectEnvironment({ strategy: { canary: 0, batches: ['100%'], parallel: 8 } });
  const [batch] = build({ projectEnvironment: placed }).plan.stages[0]?.lanes[0]?.batches ?? [];
  assert.deepEqual([batch?.targets.length, batch?.parallel], [8, 2]);
  const one = projectEnvironment({ targets: targets(1) });
  const [first] = fleet();
  assert.ok(first);
  assert.throws(() => build({ projectEnvironment: one, fleet: [first], pools: [pool(['web-1'])] }), {
    code: 'floor_impossible',
  });
});

test('a reload removes no release from hosts, and does none of the further steps of a strategy', () => {
  const strategy = {
    steps: {
      datacenter: [
        ...['guard', 'drain', 'stop', 'install'],
        { id: 'migrate', action: 'host.run@1', with: { argv: ['bin/migrate'] } },
        ...['start', 'verify', 'enable'],
      ],
    },
  };
  const { plan } = build({ projectEnvironment: projectEnvironment({ strategy }) });
  assert.deepEqual(
    plan.sequences.reload?.map(({ id }) => id),
    ['install', 'reload', 'verify'],
  );
  assert.deepEqual(plan.sequences.reload?.[0]?.inputs.keep, { value: 1_000_000 });
  assert.equal(
    plan.sequences.rolling?.some(({ id }) => id === 'migrate'),
    true,
  );
});

test('a target without a balancer is reloaded too', () => {
  const placed = projectEnvironment({
    targets: targets(2).map(({ member: _, ...target }) => target),
  });
  const { plan, notes } = build({ projectEnvironment: placed });
  assert.deepEqual([...new Set(sequencesOf(plan))], ['reload-plain']);
  assert.equal(
    notes.some(({ code }) => code === 'no_balancer'),
    false,
    'no request fails for want of one',
  );
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
