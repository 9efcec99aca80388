import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostAndPort } from './host-port.ts';

test('a host and its port are taken apart, with and without brackets', () => {
  assert.deepEqual(hostAndPort('web-1:8080'), { host: 'web-1', port: 8080 });
  assert.deepEqual(hostAndPort('[2001:db8::1]:80'), { host: '2001:db8::1', port: 80 });
  assert.deepEqual(hostAndPort('[2001:db8::1]'), { host: '2001:db8::1' });
});

test('a host alone has no port, and neither has an address of many colons', () => {
  assert.deepEqual(hostAndPort('web-1'), { host: 'web-1' });
  assert.deepEqual(hostAndPort('2001:db8::1'), { host: '2001:db8::1' });
  assert.deepEqual(hostAndPort('unix:/run/web.sock'), { host: 'unix:/run/web.sock' });
});

test('a port that cannot be is none', () => {
  assert.deepEqual(hostAndPort('web-1:0'), { host: 'web-1' });
  assert.deepEqual(hostAndPort('web-1:70000'), { host: 'web-1' });
});
