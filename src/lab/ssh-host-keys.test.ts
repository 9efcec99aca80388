import assert from 'node:assert/strict';
import { test } from 'node:test';
import ssh2 from 'ssh2';
import { knownHostsLine, newKeyPair, parsePublicKey, sameBytes } from './ssh-host-keys.ts';

test('every new key pair can be read, signs, and verifies', () => {
  // Many, because a public key that begins with a zero byte is one in 256.
  for (let index = 0; index < 600; index += 1) {
    const pair = newKeyPair();
    const secret = ssh2.utils.parseKey(pair.privateKey);
    assert.ok(!(secret instanceof Error));
    const signature = secret.sign('message');
    assert.ok(!(signature instanceof Error));
    assert.equal(parsePublicKey(pair.publicKey).verify('message', signature), true);
  }
});

test('a text that is no key is refused', () => {
  assert.throws(() => parsePublicKey('ssh-ed25519 AAAA'));
});

test('a known_hosts line names the port where it is not 22', () => {
  assert.equal(knownHostsLine({ address: '127.0.0.1', port: 22, publicKey: 'k' }), '127.0.0.1 k\n');
  assert.equal(knownHostsLine({ address: '127.0.0.1', port: 2222, publicKey: 'k' }), '[127.0.0.1]:2222 k\n');
});

test('bytes are the same only when all of them are', () => {
  assert.equal(sameBytes(Buffer.from('key'), Buffer.from('key')), true);
  assert.equal(sameBytes(Buffer.from('key'), Buffer.from('kez')), false);
  assert.equal(sameBytes(Buffer.from('key'), Buffer.from('keys')), false);
});
