import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { fingerprintOf, keysOf as keysIn, knownHosts } from './known-hosts.ts';

const KEY = Buffer.from('a key');
const OTHER = Buffer.from('another key');
const line = (names: string, key = KEY, marker = '') =>
  `${marker}${names} ssh-ed25519 ${key.toString('base64')} comment\n`;
const keysOf = (text: string, address: string, port: number) => keysIn([knownHosts(text)], address, port);
const isKnown = (text: string, address: string, port = 22) =>
  keysOf(text, address, port).keys.some((key) => key.equals(KEY));

test('a key is found by name, address or any name in a list', () => {
  assert.ok(isKnown(line('web-1'), 'web-1'));
  assert.ok(isKnown(line('web-1,10.0.0.7,fe80::1'), '10.0.0.7'));
  assert.ok(!isKnown(line('web-1'), 'web-10'));
});

test('names do not differ by case', () => assert.ok(isKnown(line('Web-1.Example'), 'WEB-1.example')));

test('another port than 22 is known by the bracketed name only', () => {
  assert.ok(isKnown(line('[web-1]:2222'), 'web-1', 2222));
  assert.ok(!isKnown(line('web-1'), 'web-1', 2222));
  assert.ok(!isKnown(line('[web-1]:2222'), 'web-1'));
});

test('patterns match, and a negated one takes its host out', () => {
  const text = line('*.example.com,!db?.example.com');
  assert.ok(isKnown(text, 'web.example.com'));
  assert.ok(!isKnown(text, 'db1.example.com'));
  assert.ok(isKnown(text, 'db10.example.com'));
  assert.ok(!isKnown(text, 'example.com'));
});

test('a hashed name is recognised', () => {
  const salt = Buffer.alloc(20, 7);
  const hash = createHmac('sha1', salt).update('[web-1]:2222').digest('base64');
  const text = line(`|1|${salt.toString('base64')}|${hash}`);
  assert.ok(isKnown(text, 'web-1', 2222));
  assert.ok(!isKnown(text, 'web-2', 2222));
});

test('a fingerprint is as ssh-keygen prints it', () => {
  assert.equal(fingerprintOf(KEY), 'SHA256:j6Oqsvqpt54KA5jaW1q9B4AUJEKlvoC5pkYI1xjLH80');
});

test('several keys of one host are all trusted, and their types are named in order', () => {
  const text = `${line('web-1')}web-1 ssh-rsa ${OTHER.toString('base64')}\n${line('web-2', OTHER)}`;
  const { keys, types } = keysOf(text, 'web-1', 22);
  assert.deepEqual(
    [keys, types],
    [
      [KEY, OTHER],
      ['ssh-ed25519', 'ssh-rsa'],
    ],
  );
});

test('a revoked key is not trusted', () => {
  const { keys, revoked } = keysOf(line('web-1', KEY, '@revoked '), 'web-1', 22);
  assert.deepEqual([keys, revoked], [[], [KEY]]);
});

test('comments, empty lines, authorities and lines that are cut off say nothing', () => {
  const text = `# web-1 ssh-ed25519 AAAA\n\nweb-1 ssh-ed25519\n${line('web-1', KEY, '@cert-authority ')}`;
  assert.deepEqual(keysOf(text, 'web-1', 22).keys, []);
});

test('a line with a marker that nobody knows says nothing', () => {
  assert.ok(!isKnown(line('web-1', KEY, '@trusted '), 'web-1'));
});

test('an authority is no key of the host, but it is told that there is one for it', () => {
  const text = line('*.example.com', KEY, '@cert-authority ');
  assert.deepEqual(
    [keysOf(text, 'a.example.com', 22).hasAuthority, keysOf(text, 'web-1', 22).hasAuthority],
    [true, false],
  );
});
