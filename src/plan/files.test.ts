import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  projectEnvironment,
  release,
  request,
  targets,
} from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import { plannedFiles } from '../domain/planned-files.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { PlanRequest } from './request.ts';
import { planRollback } from './rollback.ts';

const FILES = [{ path: 'web.conf', content: 'host={{host}} on {{edge.target}}\n' }];
const configured = (version: string, ...variables: readonly object[]) =>
  release(version, { files: FILES, variables: [{ name: 'host', value: 'db' }, ...variables] });
const planOf = (parts: Partial<PlanRequest>) => buildPlan(request(parts), datacenter).plan;
const digestsOf = (parts: Partial<PlanRequest>) =>
  planOf(parts).targets.map(({ filesFor }) => Object.values(filesFor?.digests ?? {}).at(0));

test('a plan freezes what the files of each target are to be', () => {
  const digests = digestsOf({ release: configured('2.0.0') });
  assert.equal(new Set(digests).size, 8);
  assert.equal(digests.includes(undefined), false);
});

test('a value changes the files of those targets alone for which it holds', () => {
  const zoned = {
    environment: environment({ zones: [{ name: 'east' }, { name: 'west' }] }),
    projectEnvironment: projectEnvironment({
      targets: targets(8, (index) => ({ zone: index < 4 ? 'east' : 'west' })),
    }),
  };
  const plain = digestsOf({ ...zoned, release: configured('2.0.0') });
  const differing = (...variables: readonly object[]) =>
    digestsOf({ ...zoned, release: configured('2.0.0', ...variables) }).flatMap((digest, index) =>
      digest === plain[index] ? [] : [index],
    );
  const here = { name: 'host', value: 'other', environment: 'production' };
  assert.deepEqual(differing({ ...here, zone: 'west' }), [4, 5, 6, 7]);
  assert.deepEqual(differing({ ...here, target: 'web-3' }), [2]);
  assert.deepEqual(differing({ ...here, environment: 'test' }), []);
});

test('the same files give the same plan, however their variables were written', () => {
  const at = { environment: 'production', zone: 'default' };
  const one = configured('2.0.0', { name: 'x', value: '1' }, { name: 'y', value: '2', ...at });
  const other = configured('2.0.0', { name: 'y', value: '2', ...at }, { name: 'x', value: '1' });
  const [a, b] = [one, other].map((each) => buildPlan(request({ release: each }), datacenter).hash);
  assert.equal(a, b);
});

test('a rollback makes the files that each target had', () => {
  const before = configured('1.0.0');
  const plan = planOf({
    release: configured('2.0.0'),
    releases: [before],
    fleet: targets(8).map(({ name }) => ({
      ...{ target: String(name), before: before.id, parked: false, running: true },
    })),
  });
  const touched = [{ target: 0, held: true }];
  const back = planRollback({ id: deploymentId('d1'), plan, touched }, 'why');
  assert.ok(back?.targets[0]);
  const files = plannedFiles(back, back.targets[0]);
  assert.equal(files?.place.version, '1.0.0');
  assert.equal(files?.digest, plan.targets[0]?.filesFor?.digests[before.id]);
});

test('files that a target had and that cannot be made any more are no reason to refuse', () => {
  const before = release('1.0.0', {
    files: FILES,
    variables: [{ name: 'host', value: 'db', environment: 'elsewhere' }],
  });
  const fleet = [{ target: 'web-1', before: before.id, parked: false, running: true }];
  const { targets: planned } = planOf({ release: configured('2.0.0'), releases: [before], fleet });
  assert.equal(Object.keys(planned[0]?.filesFor?.digests ?? {}).length, 1);
});

test('a rollback to files that cannot be made any more says so, and does not pass over them', () => {
  const before = release('1.0.0', {
    files: FILES,
    variables: [{ name: 'host', value: 'db', environment: 'elsewhere' }],
  });
  const fleet = [{ target: 'web-1', before: before.id, parked: false, running: true }];
  const plan = planOf({ releases: [before], fleet });
  const touched = [{ target: 0, held: true }];
  const back = planRollback({ id: deploymentId('d1'), plan, touched }, 'why');
  assert.ok(back?.targets[0]);
  assert.equal(plannedFiles(back, back.targets[0])?.digest, null);
});

test('a plan without files says nothing of any', () => {
  const plan = planOf({});
  assert.equal(JSON.stringify(plan).includes('files'), false);
});
