import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  environment,
  project,
  projectEnvironment,
  release,
  request,
  targets,
} from '../../test/fixtures/configuration.ts';
import { plannedFiles } from '../domain/planned-files.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import { type DriftRequest, planDrift, putBy } from './drift.ts';
import type { PlanRequest } from './request.ts';

const FILES = {
  files: [
    { path: 'web.conf', content: 'host={{host}} on {{edge.target}} in {{edge.zone}} at {{edge.address}}\n' },
  ],
  variables: [{ name: 'host', value: 'db' }],
};
const deployed = (parts: Partial<PlanRequest> = {}) =>
  buildPlan(request({ release: release('2.0.0', FILES), ...parts }), datacenter).plan;
const NAMES = deployed().targets.map(({ name }) => name);

function planned(parts: Partial<DriftRequest> = {}, by: Partial<PlanRequest> = {}) {
  const then = deployed(by);
  return planDrift(
    {
      ...request(by),
      put: putBy(then, new Set(NAMES)),
      ...{ unproven: new Set(), targets: null, zones: null, parallel: 3 },
      ...parts,
    },
    datacenter,
  );
}

describe('the plan of a look at targets', () => {
  test('asks of them only how they are reached', () => {
    const bare = NAMES.map((name) => ({ name, address: '10.0.0.1', env: { A: 'b' } }));
    const { plan } = planned({
      project: project({ health: { check: { kind: 'tcp' } } }),
      projectEnvironment: projectEnvironment({ targets: bare }),
    });
    for (const { facts } of plan.targets) assert.deepEqual(Object.keys(facts).toSorted(), ['folder', 'host']);
  });

  test('takes nothing, and looks once at each target', () => {
    const { plan, leftOut } = planned();
    assert.deepEqual([plan.floors, plan.targets.flatMap(({ members }) => members)], [[], []]);
    assert.deepEqual([plan.verb, plan.release, leftOut], ['drift', null, []]);
    assert.deepEqual(
      Object.values(plan.sequences).flatMap((steps) => steps.map(({ action }) => action)),
      ['release.look@1'],
    );
    const [batch] = plan.stages.flatMap(({ lanes }) => lanes.flatMap(({ batches }) => batches));
    assert.deepEqual([batch?.targets.length, batch?.parallel], [NAMES.length, 3]);
  });

  test('notes which targets it was not asked for', () => {
    assert.deepEqual(planned().plan.look, { notAsked: [], leftOut: [] });
    const [first = '', ...others] = NAMES;
    assert.deepEqual(planned({ targets: [first] }).plan.look?.notAsked, others);
  });

  test('compares with what was frozen when it was put there, whatever the configuration says by now', () => {
    const then = deployed();
    const moved = {
      project: project({ folder: '/elsewhere', runAs: 'other' }),
      projectEnvironment: projectEnvironment({ targets: targets(8, () => ({ address: 'moved.example' })) }),
    };
    const { plan } = planned(moved);
    for (const [index, target] of plan.targets.entries()) {
      assert.deepEqual(
        [target.facts.folder, target.facts.sudoUser],
        [planned().plan.targets[0]?.facts.folder, undefined],
      );
      assert.equal((target.facts.host as { address: string }).address, 'moved.example');
      const files = then.targets[index];
      assert.deepEqual(plannedFiles(plan, target), files && plannedFiles(then, files));
    }
  });

  test('of a target that is in another zone by now nobody can tell what its files had to be', () => {
    const zoned = environment({ zones: [{ name: 'east' }, { name: 'west' }] });
    const inZone = (zone: string) => ({
      environment: zoned,
      projectEnvironment: projectEnvironment({ targets: targets(8, () => ({ zone })) }),
    });
    const put = putBy(deployed(inZone('east')), new Set(NAMES));
    const digests = (zone: string) =>
      planned({ put, ...inZone(zone) }).plan.targets.map(
        (target) => plannedFiles(planned({ put, ...inZone(zone) }).plan, target)?.digest,
      );
    assert.equal(digests('east').includes(null), false);
    assert.deepEqual(new Set(digests('west')), new Set([null]));
  });

  test('leaves out where Edge has put nothing, and is none where that is everywhere', () => {
    const put = putBy(deployed(), new Set(NAMES.slice(0, 2)));
    const { plan, leftOut } = planned({ put });
    assert.deepEqual([plan.targets.map(({ name }) => name), leftOut], [NAMES.slice(0, 2), NAMES.slice(2)]);
    assert.throws(() => planned({ put: [] }), { code: 'plan_empty' });
    const own = { project: project({ commands: { install: ['install.sh'] } }) };
    assert.throws(() => planned({}, { ...own, release: release('2.0.0') }), { code: 'plan_empty' });
    const beside = planned({}, own).plan.targets[0]?.facts;
    assert.equal(beside?.filesOnly, true);
    assert.match(String(beside?.folder), /\/properties$/);
  });

  test('knows where a deployment has worked since, without success', () => {
    const { plan } = planned({ unproven: new Set(['web-2']) });
    assert.deepEqual(
      plan.targets.flatMap(({ name, facts }) => (facts.unproven ? [name] : [])),
      ['web-2'],
    );
  });

  test('looks only at what was asked for', () => {
    assert.deepEqual(
      planned({ targets: ['web-3'] }).plan.targets.map(({ name }) => name),
      ['web-3'],
    );
    assert.throws(() => planned({ targets: ['nobody'] }), { code: 'target_unknown' });
    assert.throws(() => planned({ zones: ['nowhere'] }), { code: 'request_invalid' });
  });
});
