import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type MemberServer, startMemberServer } from '../../../test/support/member-server.ts';
import { until } from '../../../test/support/until.ts';
import { LAB_GROUP, type LabPair, startLabPair } from './lab-pair.ts';
import type { LabRole } from './tokens.ts';

const POOL = '/Common/web';
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

type World = { readonly lab: LabPair; readonly servers: readonly MemberServer[] };

async function pair(settings: { autoSync?: boolean; role?: LabRole } = {}): Promise<World> {
  const servers = await Promise.all([1, 2].map((n) => startMemberServer(`web-${n}`)));
  const members = servers.map(({ name, port }) => ({
    name: `${name}:80`,
    connect: { host: '127.0.0.1', port },
  }));
  const { role = 'resource-admin', autoSync = false } = settings;
  const lab = await startLabPair({
    users: [{ name: 'edge', password: 'p', role, partition: 'Common' }],
    pools: [{ name: POOL, members }],
    autoSync,
  });
  open.push(() => lab.close(), ...servers.map((server) => () => server.kill()));
  return { lab, servers };
}

/** One call to a unit, with a token of its own. */
async function call(lab: LabPair, unit: 0 | 1, ask: { method: string; path: string; body?: object }) {
  const { url } = lab.units[unit];
  const login = await fetch(`${url}/mgmt/shared/authn/login`, {
    method: 'POST',
    body: JSON.stringify({ username: 'edge', password: 'p', loginProviderName: 'tmos' }),
  });
  const token = /"token":"([0-9A-F]+)"/.exec(await login.text())?.[1] ?? '';
  const answer = await fetch(`${url}${ask.path}`, {
    method: ask.method,
    headers: { 'x-f5-auth-token': token },
    ...(ask.body && { body: JSON.stringify(ask.body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

const push = (lab: LabPair, unit: 0 | 1, group = LAB_GROUP) => {
  const body = { command: 'run', utilCmdArgs: `config-sync to-group ${group}` };
  return call(lab, unit, { method: 'POST', path: '/mgmt/tm/cm', body });
};
const status = async (lab: LabPair, unit: 0 | 1 = 0) =>
  (await call(lab, unit, { method: 'GET', path: '/mgmt/tm/cm/sync-status' })).text;
const session = (lab: LabPair, unit: 0 | 1, name = 'web-1:80') =>
  lab.units[unit].members(POOL).find((member) => member.name === name)?.session;
const whoAnswers = async (lab: LabPair): Promise<string | null> => {
  const answer = await fetch(lab.virtualUrl(POOL));
  await answer.text();
  return answer.headers.get('x-member');
};

test('traffic goes by the configuration of the active unit', async () => {
  const { lab } = await pair();
  lab.units[0].faults.editByHand(POOL, 'web-1:80', { disabled: true });
  assert.deepEqual([await whoAnswers(lab), await whoAnswers(lab)], ['web-2', 'web-2']);
  lab.setActive([1]);
  assert.deepEqual(new Set([await whoAnswers(lab), await whoAnswers(lab)]), new Set(['web-1', 'web-2']));
  assert.equal(lab.counters(POOL).answered, 4);
});

test('a change waits until somebody pushes it, and the status says where from', async () => {
  const { lab } = await pair();
  assert.match(await status(lab), /In Sync/);
  lab.units[0].faults.editByHand(POOL, 'web-1:80', { disabled: true });
  for (const unit of [0, 1] as const) {
    assert.match(await status(lab, unit), /Changes Pending/);
    assert.match(await status(lab, unit), /Recommended action: Synchronize lab-1 to group dg-lab/);
  }
  assert.equal(session(lab, 1), 'user-enabled');
  assert.equal((await push(lab, 0)).status, 200);
  await until('it is in sync', async () => /In Sync/.test(await status(lab)));
  assert.equal(session(lab, 1), 'user-disabled');
});

test('a push from the wrong unit overwrites what was changed on the other one', async () => {
  const { lab } = await pair();
  lab.units[0].faults.editByHand(POOL, 'web-1:80', { disabled: true });
  await push(lab, 1);
  await until('it is in sync', async () => /In Sync/.test(await status(lab)));
  assert.equal(session(lab, 0), 'user-enabled');
});

test('changes on both units are a conflict, which a group that syncs by itself does not mend', async () => {
  const { lab } = await pair({ autoSync: true });
  const finish = lab.holdSync();
  for (const unit of lab.units) unit.faults.editByHand(POOL, 'web-1:80', { ratio: 2 });
  assert.match(await status(lab), /possible change conflict between lab-1 and lab-2/);
  finish();
});

test('a group that syncs by itself brings a change over', async () => {
  const { lab } = await pair({ autoSync: true });
  lab.units[0].faults.editByHand(POOL, 'web-1:80', { disabled: true });
  await until('the other unit has it', () => session(lab, 1) === 'user-disabled');
});

test('each unit says of itself and of the other one what they are', async () => {
  const { lab } = await pair();
  const { text } = await call(lab, 1, { method: 'GET', path: '/mgmt/tm/cm/device' });
  assert.match(text, /"name":"lab-2","hostname":"lab-2","selfDevice":"true","failoverState":"standby"/);
  assert.match(text, /"name":"lab-1","hostname":"lab-1","selfDevice":"false","failoverState":"active"/);
});

test('to push and to save take the role Resource Administrator', async () => {
  const { lab } = await pair({ role: 'manager' });
  assert.equal((await push(lab, 0)).status, 401);
  const save = await call(lab, 0, { method: 'POST', path: '/mgmt/tm/sys/config', body: { command: 'save' } });
  assert.equal(save.status, 401);
  assert.match(save.text, /Authorization failed: user=.*verb=POST/);
});

test('a group that is not there is not found', async () => {
  const { lab } = await pair();
  const { status: code, text } = await push(lab, 0, 'nowhere');
  assert.deepEqual([code, /01020036/.test(text)], [404, true]);
});

test('a unit that is gone leaves the other one disconnected', async () => {
  const { lab } = await pair();
  await lab.vanish(1);
  assert.match(await status(lab), /Disconnected/);
});
