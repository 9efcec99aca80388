import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hashOf, sha256 } from './hash.ts';
import { canonicalJson } from './json.ts';

test('the order of keys does not change the hash, the order of lists does', () => {
  assert.equal(hashOf({ a: 1, b: [1, 2] }), hashOf({ b: [1, 2], a: 1 }));
  assert.notEqual(hashOf([1, 2]), hashOf([2, 1]));
});

test('a field that is undefined is a field that is not there', () => {
  assert.equal(canonicalJson({ a: undefined, b: null }), '{"b":null}');
});

test('canonical JSON is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('a hash is SHA-256 in lower-case hex', () => {
  assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
