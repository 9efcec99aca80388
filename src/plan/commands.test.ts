import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  project,
  projectEnvironment,
  request,
  script,
} from '../../test/fixtures/configuration.ts';
import { EdgeError } from '../domain/errors.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { buildPlan } from './build-plan.ts';
import type { PlanRequest } from './request.ts';

const STEPS = [
  ...['guard', 'drain', 'stop', 'install'],
  {
    id: 'migrate',
    action: 'host.run@1',
    with: { argv: ['bin/migrate'] },
    onUnknown: { check: ['bin/is-done'] },
  },
  { id: 'tell', script: 'tell' },
  ...['start', 'verify', 'enable'],
];
const parts: Partial<PlanRequest> = {
  scripts: [script()],
  project: project({
    commands: { start: ['up'], stop: ['down'] },
    health: { check: { kind: 'command', argv: ['bin/check'] } },
    gate: { close: ['bin/close'], open: ['bin/open'] },
  }),
  projectEnvironment: projectEnvironment({ strategy: { steps: { datacenter: STEPS } } }),
};

/** What is refused, by the step and what it would run. */
function refused(commands: object, more: Partial<PlanRequest> = {}): readonly string[] {
  try {
    buildPlan(request({ ...parts, environment: environment({ commands }), ...more }), datacenter);
    return [];
  } catch (thrown) {
    assert.ok(thrown instanceof EdgeError && thrown.code === 'command_refused', String(thrown));
    const { message, also = [] } = thrown.body;
    return [message, ...also.map((each) => each.message)].map((text) => text.replace(/, which .*/, ''));
  }
}

const ALL = ['down', 'up', 'bin/check', 'bin/close', 'bin/open', 'bin/migrate', 'bin/is-done'].map((word) => [
  word,
]);

test('a policy of the environment judges every command that is configured, and every script', () => {
  assert.deepEqual(refused({ allow: [] }), [
    'The step gate-close would run ["bin/close"]',
    'The step stop would run ["down"]',
    'The step migrate would run ["bin/migrate"]',
    'The step migrate would run ["bin/is-done"]',
    'The step tell would run the script tell',
    'The step start would run ["up"]',
    'The step verify would run ["bin/check"]',
    'The step gate-open would run ["bin/open"]',
  ]);
  assert.deepEqual(refused({ allow: [...ALL, { script: 'tell' }] }), []);
  assert.deepEqual(refused({ allow: ALL }), ['The step tell would run the script tell']);
  assert.deepEqual(refused({ deny: [['up', '...']] }), ['The step start would run ["up"]']);
});

test('a command is judged as it is configured, whatever Edge makes of it for a first deployment', () => {
  const first = {
    project: project(),
    fleet: [],
    pools: [],
    hard: true,
    projectEnvironment: projectEnvironment(),
  };
  assert.deepEqual(refused({ deny: [['sh', '...']] }, first), []);
  assert.deepEqual(refused({ deny: [['current/bin/stop']] }, first), [
    'The step stop would run ["current/bin/stop"]',
  ]);
});

test('a restart is judged by what its rollback would run as well', () => {
  const install = project({ commands: { install: ['put'], start: ['up'], stop: ['down'] } });
  const restart = {
    project: install,
    projectEnvironment: projectEnvironment(),
    verb: 'restart',
    release: null,
  } as const;
  assert.deepEqual(refused({ deny: [['put']] }, restart), ['The step install would run ["put"]']);
});

test('a shell that is given a text can be denied as any program can', () => {
  const shell = project({ commands: { start: ['/bin/sh', '-c', 'rm -rf /'], stop: ['down'] } });
  const placed = { project: shell, projectEnvironment: projectEnvironment() };
  assert.deepEqual(refused({ deny: [['sh', '-c', '...']] }, placed), [
    'The step start would run ["/bin/sh","-c","rm -rf /"]',
  ]);
});
