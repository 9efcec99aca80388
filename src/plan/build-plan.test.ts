import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  pool,
  projectEnvironment,
  release,
  request,
  targets,
} from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { PlanRequest } from './request.ts';
import { planRollback } from './rollback.ts';

const build = (parts: Partial<PlanRequest> = {}) => buildPlan(request(parts), datacenter);

const before = release('1.0.0').id;
const seen = (target: string, more: Partial<PlanRequest['fleet'][number]> = {}) => ({
  target,
  before,
  parked: false,
  running: true,
  ...more,
});
const members = (count: number) => targets(count).map(({ name }) => String(name));

/** The order of a plan on one line per batch. */
function order({ stages, targets: all }: Plan): readonly string[] {
  return stages.flatMap(({ name, lanes }) =>
    lanes.flatMap(({ zone, batches }) =>
      batches.map((batch) => {
        const names = batch.targets.map((index) => all[index]?.name.replace('web-', '')).join(' ');
        return `${name}/${zone}/${batch.name} ${batch.sequence} x${batch.parallel}: ${names}`;
      }),
    ),
  );
}

test('a canary comes first, then growing batches that slide where the floor is tight', () => {
  assert.deepEqual(order(build().plan), [
    'default/default/canary rolling x1: 1',
    'default/default/25% rolling x1: 2',
    'default/default/50% rolling x2: 3 4',
    'default/default/100% rolling x2: 5 6 7 8',
  ]);
});

const twoZones = { zones: [{ name: 'east' }, { name: 'west', pool: 'west' }] };
const inZones = { targets: targets(4, (index) => ({ zone: index < 2 ? 'east' : 'west' })) };

test('zones in order are stages of their own, with the canary in the first', () => {
  const { plan } = build({
    environment: environment(twoZones),
    projectEnvironment: projectEnvironment({ ...inZones, strategy: { batches: ['100%'] } }),
  });
  assert.deepEqual(order(plan), [
    'east/east/canary rolling x1: 1',
    'east/east/100% rolling x1: 2',
    'west/west/100% rolling x1: 3 4',
  ]);
});

test('zones side by side are lanes of one stage, with a canary in each', () => {
  const { plan } = build({
    environment: environment(twoZones),
    projectEnvironment: projectEnvironment({
      ...inZones,
      strategy: { zones: 'side-by-side', batches: ['100%'] },
    }),
  });
  assert.deepEqual(order(plan), [
    'all zones/east/canary rolling x1: 1',
    'all zones/east/100% rolling x1: 2',
    'all zones/west/canary rolling x1: 3',
    'all zones/west/100% rolling x1: 4',
  ]);
});

const perZone = (amount: number | string, parts: Partial<PlanRequest> = {}) =>
  build({
    environment: environment({ ...twoZones, policy: { minInService: 1, minInServicePerZone: amount } }),
    projectEnvironment: projectEnvironment({
      targets: targets(8, (index) => ({ zone: index < 4 ? 'east' : 'west' })),
      strategy: { batches: ['100%'], canary: 0 },
    }),
    ...parts,
  });

test('a floor per zone is in the plan with the members of each zone, and limits the batches', () => {
  const { plan } = perZone('50%');
  assert.deepEqual(order(plan), ['east/east/100% rolling x2: 1 2 3 4', 'west/west/100% rolling x2: 5 6 7 8']);
  const of = { balancer: 'lb:9999', pool: 'web' };
  assert.deepEqual(plan.floors, [
    { ...of, floor: { count: 1 } },
    { ...of, floor: { percent: 50 }, zone: { name: 'east', members: members(8).slice(0, 4) } },
    { ...of, floor: { percent: 50 }, zone: { name: 'west', members: members(8).slice(4) } },
  ]);
});

test('a floor per zone counts all of the zone, whichever targets are asked for, and is that of no other zone', () => {
  const { plan } = perZone('50%', { options: { force: false, targets: ['web-1', 'web-2'] } });
  assert.deepEqual(
    plan.floors.map(({ zone }) => zone),
    [undefined, { name: 'east', members: members(8).slice(0, 4) }],
  );
});

test('without a floor per zone, or with one of 0, a plan is as it was', () => {
  const { plan } = perZone(0);
  assert.deepEqual(plan.floors, [{ balancer: 'lb:9999', pool: 'web', floor: { count: 1 } }]);
  assert.ok(!Object.hasOwn(plan.floors[0] ?? {}, 'zone'));
});

test('members in reserve are no capacity of their zone either, and each batch tells what the zone keeps', () => {
  const seen = pool(members(8));
  const states = seen.members.map((state) =>
    ['web-3', 'web-4'].includes(state.member) ? { ...state, reserve: true } : state,
  );
  const { plan, capacity } = perZone(1, { pools: [{ ...seen, members: states }] });
  assert.deepEqual(plan.floors[1]?.zone?.members, members(4), 'they may be in reserve no more when it runs');
  const east = capacity.filter(({ zone }) => zone === 'east');
  assert.deepEqual(
    east.map(({ configured, floor, before, lowest, after }) => [configured, floor, before, lowest, after]),
    [[2, 1, 2, 1, 2]],
  );
});

test('a zone that is in reserve as a whole has nothing to keep, and is not slowed down', () => {
  const seen = pool(members(8));
  const states = seen.members.map((state, index) => (index < 4 ? { ...state, reserve: true } : state));
  const { plan } = perZone(1, { pools: [{ ...seen, members: states }] });
  assert.equal(order(plan)[0], 'east/east/100% rolling x3: 1 2 3 4');
  assert.equal(plan.floors[1]?.zone?.name, 'east');
});

test('a rollback keeps the floors of zones', () => {
  const { plan } = perZone('50%');
  const touched = [{ target: 0, held: false }];
  const back = planRollback({ id: deploymentId('d-1'), plan, touched }, 'it was bad');
  assert.deepEqual(back?.floors, plan.floors);
});

test('a target of a zone is worked on by the workers of that zone', () => {
  const { plan } = build({
    environment: environment(twoZones),
    projectEnvironment: projectEnvironment(inZones),
  });
  assert.deepEqual(
    plan.targets.map((target) => target.pool),
    ['default', 'default', 'west', 'west'],
  );
});

test('a target on the release is left alone, unless a deployment worked on it since without success', () => {
  const { plan } = build({
    release: release('1.0.0'),
    fleet: [
      ...members(8)
        .slice(1)
        .map((name) => seen(name)),
      seen('web-1', { unproven: true }),
    ],
  });
  assert.deepEqual(order(plan), ['default/default/canary rolling x1: 1']);
});

test('what was out of service before comes last and spends no budget', () => {
  const { plan } = build({
    pools: [pool(members(9), ['web-1', 'web-2'])],
    fleet: [seen('web-1'), seen('web-2', { running: false })],
    projectEnvironment: projectEnvironment({ targets: targets(9), floors: { web: 6 } }),
  });
  assert.deepEqual(order(plan).slice(-2), [
    'others/default/others others others x1: 1',
    'others/default/others others-stopped others-stopped x1: 2',
  ]);
  const others = plan.stages.at(-1);
  assert.ok(others?.lanes.every(({ batches }) => batches.every(({ countsFailures }) => !countsFailures)));
});

test('a service that did not run is installed but not started', () => {
  const { plan, notes } = build({
    pools: [pool(members(8), ['web-8'])],
    fleet: members(8).map((name) => seen(name, { running: name !== 'web-8' })),
  });
  assert.deepEqual(
    plan.sequences['others-stopped']?.map(({ id }) => id),
    ['install'],
  );
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['others_stopped'],
  );
});

test('a new server beside others that serve is started and brought into service at the end', () => {
  const { plan, notes } = build({
    pools: [pool(members(8), [], ['web-8'])],
    fleet: members(7).map((name) => seen(name)),
  });
  assert.equal(order(plan).at(-1), 'others/default/others cold x1: 8');
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['others_new'],
  );
});

test('a new server that people disabled on the balancer is installed but not started', () => {
  const { plan } = build({
    pools: [pool(members(8), ['web-8'])],
    fleet: members(7).map((name) => seen(name)),
  });
  assert.equal(order(plan).at(-1), 'others/default/others others-stopped x1: 8');
});

test('others are left out where the strategy says so', () => {
  const { plan } = build({
    pools: [pool(members(8), ['web-8'])],
    projectEnvironment: projectEnvironment({ strategy: { others: false } }),
  });
  assert.equal(plan.targets.length, 7);
});

test('a parked target counts as in service and comes first in its lane', () => {
  const { plan, notes } = build({
    pools: [pool(members(8), ['web-5'])],
    fleet: [
      ...members(8)
        .filter((name) => name !== 'web-5')
        .map((name) => seen(name)),
      seen('web-5', { parked: true }),
    ],
  });
  assert.equal(order(plan)[0], 'default/default/canary rolling x1: 5');
  assert.equal(plan.targets[4]?.inServiceBefore, true);
  assert.ok(notes.some(({ code }) => code === 'parked_returned'));
});

test('a target that is on the release, running and in service is left alone', () => {
  const target = release('2.0.0').id;
  const { plan, notes } = build({ fleet: [seen('web-1', { before: target })] });
  assert.ok(!plan.targets.some(({ name }) => name === 'web-1'));
  assert.match(notes.find(({ code }) => code === 'left_alone')?.message ?? '', /web-1/);
});

test('a target that is on the release but does not run is done again', () => {
  const { plan } = build({ fleet: [seen('web-1', { before: release('2.0.0').id, running: false })] });
  assert.ok(plan.targets.some(({ name }) => name === 'web-1'));
});

test('with force, a target on the release is installed again', () => {
  const fleet = members(8).map((name) => seen(name, { before: release('2.0.0').id }));
  assert.equal(build({ fleet, options: { force: true, targets: null } }).plan.targets.length, 8);
});

test('a first deployment starts what is meant to serve, whatever the floor is', () => {
  const down = {
    ...pool(members(8)),
    members: members(8).map((member) => ({ member, admin: 'enabled', health: 'down' }) as const),
  };
  const { plan, notes } = build({ fleet: [], pools: [down] });
  assert.equal(order(plan)[0], 'default/default/canary cold x1: 1');
  assert.ok(plan.sequences.cold?.some(({ id }) => id === 'start'));
  assert.ok(notes.some(({ code }) => code === 'nothing_in_service'));
});

test('a restart leaves out install, others, and the release', () => {
  const { plan } = build({ verb: 'restart', release: null, pools: [pool(members(8), ['web-8'])] });
  assert.equal(plan.targets.length, 7);
  assert.equal(plan.release, null);
  assert.deepEqual(
    plan.sequences.restart?.map(({ id }) => id),
    ['guard', 'drain', 'stop', 'start', 'verify', 'enable', 'settle'],
  );
});

test('a hard deployment has batches, but no canary, drain, check or floor', () => {
  const { plan, notes } = build({ hard: true });
  assert.equal(order(plan)[0], 'default/default/10% hard x1: 1');
  assert.deepEqual(
    plan.sequences.hard?.map(({ id }) => id),
    ['fetch', 'stop', 'install', 'start'],
  );
  assert.deepEqual(plan.floors, []);
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['unverified'],
  );
});

test('a rollback that a person asks for has no canary and is not stopped by failures', () => {
  const { plan } = build({ verb: 'rollback' });
  assert.deepEqual(order(plan), ['in service/default/all rolling x2: 1 2 3 4 5 6 7 8']);
  assert.equal(plan.stages[0]?.lanes[0]?.batches[0]?.countsFailures, false);
});

test('targets without a balancer go through no guard, drain or enable', () => {
  const { plan } = build({
    projectEnvironment: projectEnvironment({ targets: targets(2).map(({ member, ...rest }) => rest) }),
    pools: [],
  });
  assert.deepEqual(
    plan.sequences.plain?.map(({ id }) => id),
    ['fetch', 'stop', 'install', 'start', 'verify', 'settle'],
  );
  assert.deepEqual(plan.floors, []);
});

test('a batch of targets with and without a balancer is split, since a batch does one sequence', () => {
  const [first, second] = targets(2);
  const { member, ...bare } = second ?? {};
  const { plan } = build({
    projectEnvironment: projectEnvironment({
      targets: [first, bare],
      strategy: { canary: 0, batches: 2 },
      floors: { web: 0 },
    }),
    pools: [pool([String(member).replace('web/', ''), 'web-1'])],
  });
  assert.deepEqual(order(plan), [
    'default/default/batch 1 rolling rolling x1: 1',
    'default/default/batch 1 plain plain x1: 2',
  ]);
});

test('the canary can be switched off for an environment or a project in it', () => {
  assert.match(order(build({ environment: environment({ canary: false }) }).plan)[0] ?? '', /10%/);
  const on = build({
    environment: environment({ canary: false }),
    projectEnvironment: projectEnvironment({ canary: true }),
  });
  assert.match(order(on.plan)[0] ?? '', /canary/);
});

test('only the targets that are asked for are planned', () => {
  const { plan } = build({ options: { force: false, targets: ['web-3'] } });
  assert.deepEqual(
    plan.targets.map(({ name }) => name),
    ['web-3'],
  );
});

test('the hash does not depend on the order of keys, but on the order of targets', () => {
  const turned = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(turned)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, item]) => [key, turned(item)]),
          )
        : value;
  const { hash } = build();
  assert.equal(buildPlan(turned(request()) as PlanRequest, datacenter).hash, hash);
  const reversed = projectEnvironment({ targets: targets(8).toReversed() });
  assert.notEqual(build({ projectEnvironment: reversed }).hash, hash);
});

test('notes, capacity and the expected time are not in the hash', () => {
  assert.equal(build({ pools: [] }).hash, build().hash);
});

test('every plan carries the sequences that a rollback of it would use', () => {
  assert.deepEqual(Object.keys(build({ verb: 'restart', release: null }).plan.sequences), [
    'rolling',
    'restart',
  ]);
});
