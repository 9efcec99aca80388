import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostAddress } from '../../ports/hosts.ts';
import { jumpOf } from './jump-hosts.ts';

const hostKey = { knownHosts: '/known_hosts' };
const HOST: HostAddress = {
  ...{ name: 'web-1', address: '10.0.0.1', port: 22, user: 'deploy', identityFile: '/key' },
  password: { source: 'env', name: 'P' },
  hostKey: { fingerprint: 'SHA256:x' },
};
const outer = { address: 'bastion', port: 22, hostKey };
const inner = { address: 'inner', port: 2222, user: 'ops', hostKey };

test('a host without jump hosts is reached directly', () => assert.equal(jumpOf(HOST), undefined));

test('the last jump host is reached through those before it, with the key and never the password', () => {
  const jump = jumpOf({ ...HOST, jump: [outer, inner] });
  const first = { ...outer, user: 'deploy' };
  assert.deepEqual(jump, { ...inner, name: 'jump host', identityFile: '/key', jump: [first], depth: 1 });
  assert.deepEqual(jump && jumpOf(jump), {
    ...first,
    ...{ name: 'jump host', identityFile: '/key', depth: 2 },
  });
});

test('a jump host without a port has its own, not that of the host behind it', () => {
  const { port: _, ...bare } = outer;
  assert.equal(jumpOf({ ...HOST, port: 2222, jump: [bare] })?.port, undefined);
});

test('jump hosts that go in a circle come to an end', () => {
  const again = (host: HostAddress, times: number): unknown => {
    const jump = jumpOf({ ...host, jump: [outer] });
    return jump && times > 0 ? again(jump, times - 1) : jump;
  };
  assert.ok(again(HOST, 7));
  assert.throws(() => again(HOST, 8), { code: 'host_unreachable' });
});
