import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fullPath, nodeKey, segment, shortName } from './names.ts';

test('a name without a partition belongs to that of the account', () => {
  assert.equal(fullPath('web', 'Prod'), '/Prod/web');
  assert.equal(fullPath('/Common/web', 'Prod'), '/Common/web');
});

test('a member is named in short only in the partition of the account', () => {
  assert.equal(shortName('/Prod/web-1:80', 'Prod'), 'web-1:80');
  assert.equal(shortName('/Common/web-1:80', 'Prod'), '/Common/web-1:80');
  assert.equal(shortName('/Prod/app.app/web-1:80', 'Prod'), '/Prod/app.app/web-1:80');
});

test('route domains, IPv6 addresses and folders are encoded as the device expects them', () => {
  assert.equal(segment('/Prod/10.0.0.2%10:80'), '~Prod~10.0.0.2%2510:80');
  assert.equal(segment('/Common/2001:db8::7.80'), '~Common~2001:db8::7.80');
  assert.equal(segment('/Prod/app.app/web_pool'), '~Prod~app.app~web_pool');
});

test('a name cannot leave its segment', () => {
  assert.equal(segment('/Prod/a?b#c d'), '~Prod~a%3Fb%23c%20d');
});

test('the port of an IPv6 member stands after a dot', () => {
  assert.equal(nodeKey('/Common/web-1:8080'), '/Common/web-1|8080');
  assert.equal(nodeKey('/Common/2001:db8::7.80'), '/Common/2001:db8::7|80');
  assert.equal(nodeKey('/Common/10.0.0.2%10:any'), '/Common/10.0.0.2%10|0');
});
