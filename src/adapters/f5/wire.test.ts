import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseGroups, parseSyncStatus, parseUnits } from './cluster.ts';
import {
  differing,
  messageOf,
  parseMember,
  parsePool,
  parseStats,
  poolStates,
  writableFrom,
} from './wire.ts';

test('no answer of a device makes its reader throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      parseUnits(body);
      parseGroups(body);
      parseSyncStatus(body, 'dg');
      parseMember(body);
      parsePool(body);
      parseStats(body);
      messageOf(JSON.stringify(body));
    }),
    { numRuns: 2_000 },
  );
});

const member = fc.record({
  fullPath: fc.nat(99).map((n) => `/Common/web-${n}:80`),
  session: fc.constantFrom('user-enabled', 'user-disabled', 'monitor-enabled'),
  state: fc.constantFrom('up', 'down', 'checking', 'unchecked', 'user-down', 'fqdn-up', 'something-new'),
  ratio: fc.nat(9),
  priorityGroup: fc.nat(3),
});

test('whatever was found, what is written back of it reads as it was found', () => {
  fc.assert(
    fc.property(member, (wire) => {
      const [found] = poolStates({ minActiveMembers: 0, members: [wire] }, 'Common', new Map());
      assert.ok(found);
      const written = writableFrom(found.asFound);
      assert.equal(written.session === 'user-disabled', wire.session === 'user-disabled');
      assert.equal(written.state === 'user-down', wire.state === 'user-down');
      assert.deepEqual(differing(wire, found.asFound), {});
    }),
  );
});

test('the address of a member is without its route domain, and a node that has none tells none', () => {
  const placeOf = (address: string | undefined, fullPath = '/Common/web-1:80') => {
    const wire = {
      fullPath,
      session: 'user-enabled',
      state: 'up',
      ...(address !== undefined && { address }),
    };
    const [state] = poolStates({ minActiveMembers: 0, members: [wire] }, 'Common', new Map());
    return [state?.address, state?.port];
  };
  assert.deepEqual(placeOf('10.0.0.1'), ['10.0.0.1', 80]);
  assert.deepEqual(placeOf('10.0.0.1%2'), ['10.0.0.1', 80]);
  assert.deepEqual(placeOf('2001:db8::1', '/Common/2001:db8::1.8080'), ['2001:db8::1', 8080]);
  assert.deepEqual(placeOf('10.0.0.1', '/Common/web-1:any'), ['10.0.0.1', undefined]);
  for (const none of [undefined, '', 'any', 'any6', '0.0.0.0', '::'])
    assert.deepEqual(placeOf(none), [undefined, undefined], String(none));
});

test('a reserve is never needed: without it, enough members are available', () => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 8 }), fc.nat(4), (members, minActiveMembers) => {
      const states = poolStates({ minActiveMembers, members }, 'Common', new Map());
      const others = states.filter(({ reserve }) => reserve !== true);
      const available = others.filter(
        ({ admin, health }) => admin === 'enabled' && (health === 'up' || health === 'unknown'),
      );
      assert.ok(others.length === states.length || available.length >= minActiveMembers);
    }),
  );
});
