import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment } from '../../test/fixtures/configuration.ts';
import { deviceOf, devicesOf } from './environment.ts';
import { membersOf } from './project-environment.ts';

const f5 = (url: string) => ({ kind: 'f5', url, username: 'edge', password: { source: 'env', name: 'P' } });

test('two environments that reach one device by other names mean the same members', () => {
  const target = { name: 'web-1', address: '10.0.0.1', members: [{ pool: 'web', member: 'web-1:80' }] };
  const here = environment({ name: 'blue', balancers: { front: f5('https://f5.example.net') } });
  const there = environment({ name: 'green', balancers: { lb: f5('https://f5.example.net/') } });
  assert.deepEqual(membersOf(target, here), [
    { balancer: 'f5.example.net', pool: 'web', member: 'web-1:80' },
  ]);
  assert.deepEqual(membersOf(target, there), membersOf(target, here));
});

test('a pair is one device, named by its url: whichever unit is active, and with or without the peer', () => {
  const unit = f5('https://a.example.net');
  const balancers = { alone: unit, pair: { ...unit, peer: 'https://b.example.net' } };
  const at = environment({ balancers });
  assert.equal(deviceOf(at, 'pair'), 'a.example.net');
  assert.equal(deviceOf(at, 'alone'), 'a.example.net');
});

test('a peer that is the unit itself is refused', () => {
  const balancers = { lb: { ...f5('https://a.example.net'), peer: 'https://a.example.net/' } };
  assert.throws(() => environment({ balancers }), /the other unit of the pair/);
});

test('a socket of one machine is a device of its environment, an address on the network is one for all', () => {
  const socket = (text: string) => environment({ balancers: { lb: { kind: 'haproxy', socket: text } } });
  assert.equal(deviceOf(socket('/run/haproxy.sock'), 'lb'), 'production/lb');
  assert.equal(deviceOf(socket('127.0.0.1:9999'), 'lb'), 'production/lb');
  assert.equal(deviceOf(socket('10.1.2.3:9999'), 'lb'), '10.1.2.3:9999');
});

test('instances that serve together are one device, in whatever order they are written', () => {
  const sockets = (...list: readonly string[]) =>
    environment({ balancers: { lb: { kind: 'haproxy', sockets: list } } });
  const two = ['10.1.2.4:9999', '10.1.2.3:9999'];
  assert.equal(deviceOf(sockets(...two), 'lb'), '10.1.2.3:9999,10.1.2.4:9999');
  assert.equal(deviceOf(sockets(...two.toReversed()), 'lb'), deviceOf(sockets(...two), 'lb'));
  assert.equal(deviceOf(sockets('10.1.2.3:9999', '/run/haproxy.sock'), 'lb'), 'production/lb');
});

const nginx = (fields: Readonly<Record<string, unknown>>) => ({
  kind: 'nginx',
  file: '/etc/nginx/conf.d/web.conf',
  ssh: { user: 'edge', identityFile: '/keys/edge', knownHosts: '/keys/known_hosts' },
  ...fields,
});

test('each file of an nginx is a device of its own, so that one environment may have several', () => {
  const hosts = [{ address: '10.0.0.6' }, { address: '10.0.0.5' }];
  const two = environment({
    balancers: { web: nginx({ hosts }), api: nginx({ hosts, file: '/etc/nginx/conf.d/api.conf' }) },
  });
  assert.equal(deviceOf(two, 'web'), '10.0.0.5,10.0.0.6/etc/nginx/conf.d/web.conf');
  assert.equal(Object.keys(devicesOf(two)).length, 2);
  const here = environment({ balancers: { web: nginx({ hosts: [{ address: '127.0.0.1' }] }) } });
  assert.equal(deviceOf(here, 'web'), 'production/web');
});

for (const [what, balancer, says] of [
  ['without a socket', { kind: 'haproxy' }, /give socket/],
  ['with both forms', { kind: 'haproxy', socket: '/a', sockets: ['/b'] }, /give socket/],
  ['with one socket twice', { kind: 'haproxy', sockets: ['/a', '/a'] }, /each socket once/],
  ['of nginx without hosts', nginx({ hosts: [] }), /hosts/],
  ['of nginx with a relative file', nginx({ hosts: [{ address: 'a' }], file: 'web.conf' }), /absolute path/],
  [
    'of nginx whose hosts nobody could know',
    nginx({ hosts: [{ address: 'a' }], ssh: { user: 'edge', identityFile: '/k' } }),
    /hostKey/,
  ],
] as const)
  test(`a balancer ${what} is refused`, () => {
    assert.throws(() => environment({ balancers: { lb: balancer } }), says);
  });
