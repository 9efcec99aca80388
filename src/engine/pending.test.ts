import assert from 'node:assert/strict';
import { test } from 'node:test';
import { release, request } from '../../test/fixtures/configuration.ts';
import { deploymentId } from '../domain/ids.ts';
import { buildPlan } from '../plan/build-plan.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { modelOf } from './model.ts';
import { taskOf } from './pending.ts';
import { initialState } from './state.ts';

const PASSWORD = { source: 'env', name: 'PASSWORD' } as const;
const FILES = [{ path: 'web.conf', content: 'host={{host}}\npassword={{ password }}\n' }];
const { plan } = buildPlan(
  request({
    release: release('2.0.0', {
      ...{ reports: '1.9', files: FILES },
      variables: [
        { name: 'host', value: 'db' },
        { name: 'password', secret: PASSWORD },
        { name: 'password', secret: { source: 'env', name: 'OTHER' }, environment: 'elsewhere' },
        { name: 'unused', secret: { source: 'env', name: 'UNUSED' } },
      ],
    }),
  }),
  datacenter,
);

/** The inputs that the first target's step of this name is given, were it the first of all. */
function inputsOf(id: string): Readonly<Record<string, unknown>> {
  const sequences = Object.fromEntries(
    Object.entries(plan.sequences).map(([name, steps]) => [name, steps.filter((step) => step.id === id)]),
  );
  const model = modelOf(deploymentId('d1'), { ...plan, sequences });
  return taskOf(model, initialState(model), 0, 0).inputs;
}

test('what files are made of goes to the step that makes them, and to no other', () => {
  const { files, release: installed } = inputsOf('install') as { files: unknown; release: object };
  assert.deepEqual(Object.keys(files as object).sort(), ['digest', 'files', 'place', 'variables']);
  for (const step of ['guard', 'stop', 'start', 'verify'])
    assert.equal(JSON.stringify(inputsOf(step)).includes('{{host}}'), false, step);
  assert.deepEqual(Object.keys(installed).sort(), ['artifacts', 'hash', 'id', 'version']);
});

test('a check expects the version that the page shows, and everything else is told of its own', () => {
  const versionOf = (step: string) => (inputsOf(step).release as { version: string }).version;
  assert.deepEqual([versionOf('verify'), versionOf('install')], ['1.9', '2.0.0']);
});

test('commands are told which secrets their output must not show: those in the files of their target', () => {
  for (const step of ['stop', 'start']) assert.deepEqual(inputsOf(step).mask, [PASSWORD]);
});
