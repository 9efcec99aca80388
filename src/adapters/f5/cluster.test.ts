import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGroups, parseSyncStatus, parseUnits } from './cluster.ts';

/** As `GET /mgmt/tm/cm/sync-status` answers. */
const status = (overall: string, ...details: readonly string[]) => ({
  entries: {
    'https://localhost/mgmt/tm/cm/sync-status/0': {
      nestedStats: {
        entries: {
          color: { description: 'red' },
          status: { description: overall },
          'https://localhost/mgmt/tm/cm/syncStatus/0/details': {
            nestedStats: {
              entries: Object.fromEntries(
                details.map((text, at) => [
                  `https://localhost/mgmt/tm/cm/syncStatus/0/details/${at}`,
                  { nestedStats: { entries: { details: { description: text } } } },
                ]),
              ),
            },
          },
        },
      },
    },
  },
});
const kindOf = (body: unknown) => parseSyncStatus(body, 'dg-web')?.kind;

test('the status of the group decides, not that of other groups', () => {
  const body = status(
    'Changes Pending',
    'dg-web (In Sync): All devices are in sync',
    'other (Changes Pending): x',
  );
  assert.equal(kindOf(body), 'in-sync');
});

test('without a line of the group, the whole status decides', () => {
  assert.equal(kindOf(status('In Sync')), 'in-sync');
  assert.equal(kindOf(status('Standalone')), 'alone');
  assert.equal(kindOf(status('Disconnected')), 'disconnected');
  assert.equal(kindOf(status('Awaiting Initial Sync')), 'other');
  assert.equal(kindOf(status('Sync Failure')), 'other');
});

test('changes that wait name the unit to push from; a conflict does too, and is told apart', () => {
  const action = ' - Recommended action: Synchronize a.example.net to group dg-web';
  const waiting = parseSyncStatus(
    status('Changes Pending', 'dg-web (Changes Pending): waiting', action),
    'dg-web',
  );
  assert.deepEqual([waiting?.kind, waiting && 'on' in waiting && waiting.on], ['pending', 'a.example.net']);
  const both = 'dg-web (Changes Pending): There is a possible change conflict between a and b.';
  assert.equal(kindOf(status('Changes Pending', both, action)), 'conflict');
});

test('an answer without a status is not taken for one', () => {
  assert.equal(parseSyncStatus({ entries: {} }, 'dg-web'), undefined);
  assert.equal(parseSyncStatus(undefined, 'dg-web'), undefined);
});

test('of the groups only the one for failover counts', () => {
  const items = [
    { name: 'device_trust_group', type: 'sync-only', autoSync: 'enabled' },
    { name: 'datasync-global-dg', type: 'sync-failover', autoSync: 'enabled' },
    { name: 'dg-web', type: 'sync-failover', autoSync: 'disabled' },
  ];
  assert.deepEqual(parseGroups({ items }), [{ name: 'dg-web', autoSync: false }]);
  assert.deepEqual(parseGroups({}), []);
});

test('a unit says what it is, and whether it sees another one that is active', () => {
  const unit = (name: string, selfDevice: string, failoverState: string) => ({
    name,
    selfDevice,
    failoverState,
  });
  const items = [unit('a', 'true', 'active'), unit('b', 'false', 'active')];
  assert.deepEqual(parseUnits({ items }), { self: 'a', state: 'active', paired: true, rival: 'b' });
  assert.equal(parseUnits({ items: [unit('a', 'true', 'standby')] })?.state, 'standby');
  assert.equal(parseUnits({}), undefined);
});
