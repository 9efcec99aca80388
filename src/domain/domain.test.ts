import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asEdgeError, CATALOGUE, EdgeError, STEP_FAILURES } from './errors.ts';
import { deploymentId, parseTaskId, taskId, taskIdFrom } from './ids.ts';
import { PERMISSIONS, ROLE_PERMISSIONS } from './permission.ts';
import { isTerminal, STATUSES } from './status.ts';

test('a task id tells deployment, target, step and attempt group', () => {
  const key = { deployment: deploymentId('d1'), target: 3, step: 2, group: 1 };
  assert.deepEqual(parseTaskId(taskId(key)), key);
  assert.throws(() => parseTaskId(taskIdFrom('d1/3/2')));
});

test('every error says what to do', () => {
  for (const [code, { hint }] of Object.entries({ ...CATALOGUE, ...STEP_FAILURES })) {
    assert.match(code, /^[a-z_]+$/);
    assert.match(hint, /[.`]$/);
  }
  for (const [code, entry] of Object.entries(CATALOGUE)) {
    assert.ok(entry.exit > 0 && entry.http >= 400, code);
  }
});

test('an error keeps its place and its advice, and a foreign one is a fault of Edge', () => {
  const error = new EdgeError('config_invalid', 'port is 0', { where: { file: 'a.yaml', line: 3 } });
  assert.deepEqual(error.body.where, { file: 'a.yaml', line: 3 });
  assert.equal(asEdgeError(error), error);
  assert.equal(asEdgeError(new TypeError('x')).code, 'internal');
});

test('every permission is had by some role, and only workers serve as workers', () => {
  for (const permission of PERMISSIONS) {
    assert.ok(
      Object.values(ROLE_PERMISSIONS).some((set) => set.has(permission)),
      permission,
    );
  }
  assert.equal(ROLE_PERMISSIONS.admin.has('worker.serve'), false);
  assert.deepEqual([...ROLE_PERMISSIONS.worker], ['worker.serve']);
});

test('unknown and paused are not the end', () => {
  assert.deepEqual(STATUSES.filter(isTerminal), ['succeeded', 'failed', 'skipped', 'aborted']);
});
