import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment } from '../../test/fixtures/configuration.ts';
import { hostAddress } from '../actions/schemas.ts';
import type { EdgeError } from '../domain/errors.ts';
import { hostAddressOf, waysToJumpHosts } from './host-address.ts';

const TARGET = { name: 'web-1', address: '10.0.0.1' };
const PLAIN = { user: 'deploy', identityFile: '/key', knownHosts: '/known_hosts' };
const PIN = { fingerprint: `SHA256:${'p'.repeat(43)}` };
const BARE = { user: 'deploy', identityFile: '/key' };

type Fields = Readonly<Record<string, unknown>>;
/** A place with these settings of SSH, in which these keys are recorded. */
const reaching = (ssh: Fields, recorded: Readonly<Record<string, string>> = {}) => ({
  ...{ project: 'web', environment: 'production', ssh: environment({ ssh }).ssh },
  hostKeys: new Map(Object.entries(recorded)),
});
const addressWith = (ssh: Fields) =>
  JSON.parse(JSON.stringify(hostAddressOf(TARGET, reaching({ ...PLAIN, ...ssh }))));

test('what is as usual is left out of the plan', () => {
  const plain = {
    ...TARGET,
    ...{ port: 22, user: 'deploy', identityFile: '/key', hostKey: { knownHosts: '/known_hosts' } },
  };
  assert.deepEqual(addressWith({}), plain);
  assert.deepEqual(addressWith({ transport: 'library' }), plain);
});

test('how to log in stands in the plan as the actions take it, secrets by their names', () => {
  const secret = { source: 'env', name: 'P' };
  for (const ssh of [{ agent: true, password: secret, passphrase: secret }, { transport: 'openssh' }]) {
    const address = addressWith(ssh);
    assert.deepEqual(hostAddress.parse(address), address);
    assert.deepEqual(address, { ...addressWith({}), ...ssh });
  }
});

test('jump hosts stand in the plan with the file that knows their keys', () => {
  const address = addressWith({ jump: 'bastion, ops@inner:2222' });
  const hostKey = { knownHosts: '/known_hosts' };
  assert.deepEqual(hostAddress.parse(address).jump, [
    { address: 'bastion', port: 22, hostKey },
    { address: 'inner', port: 2222, user: 'ops', hostKey },
  ]);
});

test('with a file of configuration the plan leaves to it what nobody has said', () => {
  const config = '/home/edge/.ssh/config';
  assert.deepEqual(hostAddressOf(TARGET, reaching({ config })), {
    ...{ ...TARGET, config, hostKey: { config: true } },
  });
  const said = hostAddressOf(
    { ...TARGET, sshPort: 2222, hostKey: 'SHA256:x' },
    reaching({ config, user: 'ops' }),
  );
  assert.deepEqual(said, {
    ...{ ...TARGET, config, port: 2222, user: 'ops' },
    hostKey: { fingerprint: 'SHA256:x' },
  });
  assert.deepEqual(hostAddress.parse(said), said);
});

test('a key that was recorded for the address and port is the known one where the configuration names none', () => {
  const recorded = { '10.0.0.1:22': PIN.fingerprint };
  const keyIn = (ssh: Fields, target: Fields = {}) =>
    hostAddressOf({ ...TARGET, ...target }, reaching({ ...BARE, ...ssh }, recorded)).hostKey;
  assert.deepEqual(keyIn({}), PIN);
  assert.deepEqual(keyIn({}, { hostKey: 'SHA256:x' }), { fingerprint: 'SHA256:x' });
  assert.deepEqual(keyIn({ knownHosts: '/known_hosts' }), { knownHosts: '/known_hosts' });
  assert.deepEqual(keyIn({ config: '/config' }), { config: true });
  for (const other of [{ sshPort: 2222 }, { address: '10.0.0.2' }])
    assert.throws(() => keyIn({}, other), { code: 'host_key_unknown' });
});

test('a host without a known key is refused, with the command that records it', () => {
  assert.throws(
    () => hostAddressOf(TARGET, reaching(BARE)),
    (error: EdgeError) => {
      assert.equal(error.code, 'host_key_unknown');
      assert.match(error.body.hint, /`edge trust web production`/);
      assert.deepEqual(error.body.where, { target: 'web-1' });
      return true;
    },
  );
});

test('the keys of jump hosts are recorded like those of targets, and needed as well', () => {
  const jump = 'bastion, ops@inner:2222';
  const recorded = { '10.0.0.1:22': PIN.fingerprint, 'bastion:22': 'SHA256:b', 'inner:2222': 'SHA256:i' };
  const address = hostAddressOf(TARGET, reaching({ ...BARE, jump }, recorded));
  assert.deepEqual(hostAddress.parse(address), address);
  const { jump: hops } = address;
  assert.deepEqual(
    hops?.map(({ hostKey }) => hostKey),
    [{ fingerprint: 'SHA256:b' }, { fingerprint: 'SHA256:i' }],
  );
  const { 'inner:2222': _, ...less } = recorded;
  assert.throws(
    () => hostAddressOf(TARGET, reaching({ ...BARE, jump }, less)),
    /The jump host inner has no known host key/,
  );
});

test('a jump host is a host of its own, logged in to as from the targets, and never by the password', () => {
  const password = { source: 'env', name: 'P' };
  const settings = reaching(
    { ...BARE, password, jump: 'bastion, ops@inner:2222, last' },
    { 'bastion:22': 'SHA256:b' },
  );
  const bastion = { address: 'bastion', port: 22, user: 'deploy', hostKey: { fingerprint: 'SHA256:b' } };
  const inner = { address: 'inner', port: 2222, user: 'ops' };
  assert.deepEqual(waysToJumpHosts(settings), [
    { ...bastion, name: 'bastion', identityFile: '/key' },
    { ...inner, name: 'inner', identityFile: '/key', jump: [bastion] },
    {
      ...{ name: 'last', address: 'last', port: 22, user: 'deploy', identityFile: '/key' },
      jump: [bastion, inner],
    },
  ]);
  assert.deepEqual(waysToJumpHosts(reaching(BARE)), []);
});
