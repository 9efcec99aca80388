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
import { EdgeError, type ErrorCode } from '../domain/errors.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { PlanRequest } from './request.ts';

const build = (parts: Partial<PlanRequest> = {}) => buildPlan(request(parts), datacenter);
const members = (count: number) => targets(count).map(({ name }) => String(name));

function refuses(parts: Partial<PlanRequest>, code: ErrorCode, message: RegExp): void {
  assert.throws(
    () => build(parts),
    (error) => error instanceof EdgeError && error.code === code && message.test(error.message),
  );
}

const configured = (content: string, variables: readonly object[] = []) => ({
  release: release('2.0.0', { files: [{ path: 'web.conf', content }], variables }),
});

test('a file that cannot be made for a target is refused, with all that is wrong and where', () => {
  const variables = [
    { name: 'a', value: '1', environment: 'production', target: 'web-2' },
    { name: 'b', value: 'one\ntwo' },
  ];
  assert.throws(
    () => build(configured('a={{a}}\nb={{b}}\n', variables)),
    (error) => {
      assert.ok(error instanceof EdgeError);
      assert.equal(error.code, 'variable_undefined');
      assert.match(
        error.message,
        /web\.conf of 2\.0\.0 cannot be made for web-1: line 1: \{\{a\}\} has no value/,
      );
      assert.match(error.body.also?.[0]?.message ?? '', /line 2: .*several lines/);
      assert.deepEqual(error.body.where, { target: 'web-1', path: 'web.conf', line: 1 });
      return true;
    },
  );
});

test('a floor that leaves no target is refused before anything is touched', () => {
  refuses(
    { projectEnvironment: projectEnvironment({ floors: { web: 8 } }) },
    'floor_impossible',
    /8 of 8 .* floor of 8/,
  );
  refuses({ pools: [pool(members(8), ['web-7', 'web-8'])] }, 'floor_impossible', /6 of 8 .* floor of 6/);
});

test('a floor of a zone that leaves none of its targets is refused, and names the zone', () => {
  const zoned = (fields: object = {}) => ({
    environment: environment({ zones: [{ name: 'east' }, { name: 'west' }] }),
    projectEnvironment: projectEnvironment({
      targets: targets(8, (index) => ({ zone: index < 7 ? 'east' : 'west' })),
      policy: { minInService: 1, minInServicePerZone: '50%' },
      ...fields,
    }),
  });
  refuses(zoned(), 'floor_impossible', /^Zone west of lb:9999\/web has 1 of 1 .* floor of 1/);
  const two = zoned({ targets: targets(8, (index) => ({ zone: index < 6 ? 'east' : 'west' })) });
  assert.doesNotThrow(() => build(two));
  assert.doesNotThrow(() => build(zoned({ floors: { web: 0 } })), 'a pool that may be empty, zone by zone');
  const oneDown = { ...two, pools: [pool(members(8), [], ['web-8'])] };
  refuses(oneDown, 'floor_impossible', /^Zone west of .* has 1 of 2 .* floor of 1/);
  const held = { ...oneDown, heldByOthers: [{ balancer: 'lb:9999', pool: 'web', member: 'web-8' }] };
  assert.match(
    build(held).notes.find(({ code }) => code === 'capacity_short')?.message ?? '',
    /^Zone west of/,
  );
  assert.doesNotThrow(() => build({ ...oneDown, options: { force: false, targets: ['web-1'] } }));
});

test('a pool of one needs an explicit floor of 0, and the plan says what that means', () => {
  const one = { targets: targets(1) };
  refuses(
    { projectEnvironment: projectEnvironment(one), pools: [pool(['web-1'])] },
    'floor_impossible',
    /1 of 1/,
  );
  const { notes } = build({
    projectEnvironment: projectEnvironment({ ...one, policy: { minInService: 0 } }),
    pools: [pool(['web-1'])],
  });
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['pool_of_one'],
  );
});

test('members in reserve are no capacity: the floor is one of those that serve, and the plan says so', () => {
  const seen = pool(members(8));
  const inReserve = new Set(['web-5', 'web-6', 'web-7', 'web-8']);
  const half = {
    ...seen,
    members: seen.members.map((state) => (inReserve.has(state.member) ? { ...state, reserve: true } : state)),
  };
  const { plan, notes } = build({ pools: [half] });
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['pool_reserve', 'no_spare'],
  );
  assert.ok(plan.targets.every(({ inServiceBefore }) => inServiceBefore));
  refuses(
    { pools: [half], projectEnvironment: projectEnvironment({ floors: { web: 4 } }) },
    'floor_impossible',
    /4 of 4 .* floor of 4/,
  );
});

test('targets in reserve are changed although those that serve are at their floor', () => {
  const seen = pool(members(8));
  const inReserve = new Set(['web-7', 'web-8']);
  const reserved = {
    ...seen,
    members: seen.members.map((state) => (inReserve.has(state.member) ? { ...state, reserve: true } : state)),
  };
  const atFloor = { pools: [reserved], projectEnvironment: projectEnvironment({ floors: { web: 6 } }) };
  refuses(atFloor, 'floor_impossible', /6 of 6 .* floor of 6/);
  const { capacity } = build({ ...atFloor, options: { force: false, targets: ['web-7', 'web-8'] } });
  assert.deepEqual(
    capacity.map(({ before, lowest, after }) => [before, lowest, after]),
    capacity.map(() => [6, 6, 6]),
  );
});

test('a member in reserve that is out of service is not missing', () => {
  const seen = pool(members(8), ['web-7'], ['web-8']);
  const inReserve = new Set(['web-5', 'web-6', 'web-7', 'web-8']);
  const half = {
    ...seen,
    members: seen.members.map((state) => (inReserve.has(state.member) ? { ...state, reserve: true } : state)),
  };
  const { capacity } = build({ pools: [half] });
  assert.deepEqual([capacity[0]?.configured, capacity[0]?.before], [4, 4]);
  refuses(
    { pools: [half], projectEnvironment: projectEnvironment({ floors: { web: 4 } }) },
    'floor_impossible',
    /4 of 4 .* floor of 4/,
  );
});

test('a pool that is short only because another deployment holds members is waited for', () => {
  const { notes } = build({
    pools: [pool([...members(8), 'api-1', 'api-2'], ['api-1', 'api-2'])],
    heldByOthers: ['api-1', 'api-2'].map((member) => ({ balancer: 'lb:9999', pool: 'web', member })),
  });
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['capacity_short'],
  );
});

test('a member that the balancer does not know is refused before anything is touched', () => {
  refuses({ pools: [pool(members(7))] }, 'balancer_member_unknown', /web-8/);
});

test('a pool that could not be asked is taken to be in service, and the plan says so', () => {
  const { plan, notes } = build({ pools: [] });
  assert.ok(plan.targets.every(({ inServiceBefore }) => inServiceBefore));
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['pool_unseen'],
  );
});

test('more than 20,000 targets are refused', () => {
  const many = projectEnvironment({ targets: targets(20_001) });
  refuses({ projectEnvironment: many, fleet: [] }, 'plan_too_large', /20001/);
});

test('a strategy that does not exist is named', () => {
  refuses({ projectEnvironment: projectEnvironment({ strategy: 'careful' }) }, 'config_reference', /careful/);
});

test('a release that a target had and that is gone cannot be returned to, and the plan says so', () => {
  const { plan, notes } = build({ releases: [] });
  assert.ok(plan.targets.every((target) => target.before === null));
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['release_forgotten'],
  );
});

test('a project without a health check is planned without verify, and the plan says so', () => {
  const { health, ...withoutHealth } = project();
  const { plan, notes } = build({ project: withoutHealth });
  assert.ok(!plan.sequences.rolling?.some(({ id }) => id === 'verify'));
  assert.deepEqual(
    notes.map(({ code }) => code),
    ['no_health_check'],
  );
});

test('a project whose targets have no balancer is planned without drain, and the plan says what that means', () => {
  const bare = targets(4).map(({ member, ...target }) => target);
  const { plan, notes } = build({ projectEnvironment: projectEnvironment({ targets: bare }) });
  assert.ok(plan.sequences.plain?.every(({ id }) => id !== 'drain'));
  assert.ok(notes.some(({ code }) => code === 'no_balancer'));
});

test('when all targets are on the release there is nothing to do', () => {
  const before = release('2.0.0').id;
  const fleet = members(8).map((target) => ({ target, before, parked: false, running: true }));
  refuses({ fleet }, 'plan_empty', /on this release/);
});

test('a target that is asked for and does not exist is named, with the one that was meant', () => {
  assert.throws(
    () => build({ options: { force: false, targets: ['wbe-3'] } }),
    (error) =>
      error instanceof EdgeError &&
      error.code === 'target_unknown' &&
      error.body.hint === 'Did you mean "web-3"?',
  );
});
