import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInService } from './balancer.ts';
import { floorOf, inServiceAfter, seenAmong } from './capacity.ts';

const observed = { balancer: 'lb', pool: 'web', configured: 8, out: ['a', 'b'] };
const held = (member: string, pool = 'web') => ({ balancer: 'lb', pool, member });

test('a floor in percent is rounded up', () => {
  assert.equal(floorOf({ percent: 75 }, 5), 4);
  assert.equal(floorOf({ count: 2 }, 5), 2);
});

test('a member that is held and seen out counts once', () => {
  assert.equal(inServiceAfter(observed, [held('a')], []), 6);
});

test('a hold whose drain was not yet seen still counts', () => {
  assert.equal(inServiceAfter(observed, [held('c')], ['d']), 4);
});

test('holds of other pools do not count', () => {
  assert.equal(inServiceAfter(observed, [held('c', 'api')], []), 6);
});

test('of some members of a pool only what is out of them counts', () => {
  const some = new Set(['b', 'c', 'd']);
  const { seen, isOfIt } = seenAmong(observed, some);
  assert.deepEqual(seen, { ...observed, configured: 3, out: ['b'] });
  assert.equal(inServiceAfter(seen, [], ['c']), 1);
  assert.deepEqual([held('c'), held('e')].map(isOfIt), [true, false]);
  const reserved = seenAmong({ ...observed, reserve: ['d', 'e'] }, some);
  assert.equal(reserved.seen.configured, 2, 'without those in reserve');
  assert.equal(reserved.isOfIt(held('d')), false);
  assert.equal(seenAmong(observed).seen, observed);
});

test('taking a member in reserve takes nothing', () => {
  const { seen, isOfIt } = seenAmong({ ...observed, reserve: ['r'] });
  assert.equal(seen.configured, 8);
  assert.deepEqual([held('r'), held('c')].map(isOfIt), [false, true]);
});

test('a member is in service when it is enabled and not known to be down', () => {
  assert.equal(isInService({ admin: 'enabled', health: 'up' }), true);
  assert.equal(isInService({ admin: 'enabled', health: 'unknown' }), true);
  assert.equal(isInService({ admin: 'enabled', health: 'checking' }), false);
  assert.equal(isInService({ admin: 'drained', health: 'up' }), false);
});
