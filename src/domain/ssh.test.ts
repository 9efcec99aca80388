import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hopsOf, sshSchema } from './ssh.ts';

const env = (name: string) => ({ source: 'env', name });
/** What is wrong with these settings, each as `path: message`. */
function faultsOf(settings: Readonly<Record<string, unknown>>): readonly string[] {
  const { error } = sshSchema.safeParse({ ...(!('config' in settings) && { user: 'deploy' }), ...settings });
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

test('the library needs something to log in with, the client of the system finds it by itself', () => {
  assert.deepEqual(faultsOf({}), [
    'identityFile: the library needs one of identityFile, agent, password and config to log in with',
  ]);
  for (const way of [{ identityFile: '/key' }, { agent: true }, { agent: '/a.sock' }, { password: env('P') }])
    assert.deepEqual(faultsOf(way), []);
  assert.deepEqual(faultsOf({ transport: 'openssh' }), []);
});

test('a passphrase without its key is refused', () => {
  assert.deepEqual(faultsOf({ agent: true, passphrase: env('P') }), [
    'passphrase: a passphrase needs the identityFile that it belongs to',
  ]);
});

test('a secret for the client of the system, which is given none, is refused', () => {
  const secrets = { identityFile: '/key', passphrase: env('P'), password: env('Q') };
  assert.deepEqual(faultsOf(secrets), []);
  assert.deepEqual(
    faultsOf({ ...secrets, transport: 'openssh' }).map((fault) => fault.slice(0, 40)),
    ['passphrase: the transport openssh is giv', 'password: the transport openssh is given'],
  );
});

test('a secret written in place of its name is refused', () => {
  assert.equal(faultsOf({ password: 'hunter2' }).length, 1);
});

test('jump hosts are written as for `ssh -J`', () => {
  assert.deepEqual(hopsOf('bastion, ops@10.0.0.1:2222,[fe80::1]:22'), [
    { address: 'bastion' },
    { address: '10.0.0.1', port: 2222, user: 'ops' },
    { address: 'fe80::1', port: 22 },
  ]);
  const known = { identityFile: '/key', knownHosts: '/known_hosts' };
  for (const jump of ['bastion', 'a@b-1.example:22, [::1]'])
    assert.deepEqual(faultsOf({ ...known, jump }), []);
  for (const jump of ['', '-oProxyCommand=x', 'a b', 'a,', '$(x)', 'a:0', 'a;b', 'u@-x', 'a:99999', 'a\n'])
    assert.equal(faultsOf({ ...known, jump }).length, 1, jump);
});

test('a jump host needs a way in that is no password', () => {
  assert.deepEqual(faultsOf({ identityFile: '/key', jump: 'b' }), []);
  assert.match(faultsOf({ password: env('P'), knownHosts: '/k', jump: 'b' }).join(), /never by the password/);
});

test('a file of configuration may say all that is not said here; without one a user is needed', () => {
  for (const settings of [{}, { jump: 'b' }, { transport: 'openssh' }])
    assert.deepEqual(faultsOf({ config: '/home/edge/.ssh/config', ...settings }), []);
  const { error } = sshSchema.safeParse({ agent: true });
  assert.deepEqual(
    error?.issues.map(({ message }) => message),
    ['without config the user of the login is needed'],
  );
});
