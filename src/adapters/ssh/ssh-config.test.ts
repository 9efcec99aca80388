import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostAddress } from '../../ports/hosts.ts';
import { withSettings } from './ssh-config.ts';

const LOCAL = { home: '/home/edge', user: 'edge' };
const HOST: HostAddress = { name: 'web-1', address: 'web', config: '/c', hostKey: { config: true } };
const PRINTED = `host web
user deploy
hostname 10.0.0.5
port 2222
identityagent /run/agent.sock
identityfile ~/.ssh/%r-%h
identityfile /keys/100%% of %n
userknownhostsfile ~/.ssh/known_hosts /k2
globalknownhostsfile /etc/ssh/ssh_known_hosts
proxyjump ops@bastion:2200,[fe80::1]
`;

test('what the file says of a host holds where nothing else was said', () => {
  assert.deepEqual(withSettings(HOST, PRINTED, LOCAL), {
    ...HOST,
    ...{ address: '10.0.0.5', port: 2222, user: 'deploy', agent: '/run/agent.sock' },
    identityFile: ['/home/edge/.ssh/deploy-10.0.0.5', '/keys/100% of web'],
    hostKey: { knownHosts: ['/home/edge/.ssh/known_hosts', '/k2', '/etc/ssh/ssh_known_hosts'] },
    jump: [
      { address: 'bastion', port: 2200, user: 'ops', hostKey: { config: true } },
      { address: 'fe80::1', hostKey: { config: true } },
    ],
  });
});

test('key, agent, host key and jump hosts that were said go before those of the file', () => {
  const hostKey = { fingerprint: 'SHA256:x' };
  const jump = [{ address: 'other', hostKey }];
  const said: HostAddress = { ...HOST, identityFile: '/key', agent: true, hostKey, jump };
  const { identityFile, agent, ...rest } = withSettings(said, PRINTED, LOCAL);
  assert.deepEqual([identityFile, agent, rest.hostKey, rest.jump], ['/key', true, hostKey, jump]);
});

test('none is none', () => {
  const printed = 'user deploy\nproxyjump none\nproxycommand none\nidentityagent none\n';
  const { jump, agent } = withSettings(HOST, printed, LOCAL);
  assert.deepEqual([jump, agent], [undefined, undefined]);
});

test('the agent of the environment is named as in the file', () => {
  assert.equal(withSettings(HOST, 'identityagent SSH_AUTH_SOCK\n', LOCAL).agent, true);
});

test('a command that carries the connection is for the other transport', () => {
  assert.throws(() => withSettings(HOST, 'proxycommand nc %h %p\n', LOCAL), {
    code: 'host_unfit',
    message: /transport: openssh/,
  });
});
