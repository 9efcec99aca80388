import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uncountedTraffic } from './statistics.ts';

test('a balancer that counts no errors says that they are unknown', async () => {
  const statistics = uncountedTraffic('F5 BIG-IP');
  const answer = await statistics.read({ pool: 'web', members: ['web-1'] }, new AbortController().signal);
  assert.deepEqual(answer, { kind: 'unknown', why: 'F5 BIG-IP counts no errors of its members' });
});
