import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment } from '../../test/fixtures/configuration.ts';
import { deviceOf } from './environment.ts';
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

test('a socket of one machine is a device of its environment, an address on the network is one for all', () => {
  const socket = (text: string) => environment({ balancers: { lb: { kind: 'haproxy', socket: text } } });
  assert.equal(deviceOf(socket('/run/haproxy.sock'), 'lb'), 'production/lb');
  assert.equal(deviceOf(socket('127.0.0.1:9999'), 'lb'), 'production/lb');
  assert.equal(deviceOf(socket('10.1.2.3:9999'), 'lb'), '10.1.2.3:9999');
});
