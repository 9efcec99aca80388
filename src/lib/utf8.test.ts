import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutAfter, cutBefore, Utf8Reader } from './utf8.ts';

const TEXT = 'aé€😀z';

test('text cut at any byte is read as if it had not been cut', () => {
  const bytes = Buffer.from(TEXT.repeat(3));
  for (let size = 1; size <= bytes.length; size += 1) {
    const reader = new Utf8Reader();
    let text = '';
    for (let at = 0; at < bytes.length; at += size) text += reader.read(bytes.subarray(at, at + size));
    assert.equal(text + reader.end(), TEXT.repeat(3));
  }
});

test('what was read and what is held are all bytes', () => {
  const reader = new Utf8Reader();
  const bytes = Buffer.from(TEXT);
  let text = '';
  for (let at = 0; at < bytes.length; at += 1) {
    text += reader.read(bytes.subarray(at, at + 1));
    assert.equal(Buffer.byteLength(text) + reader.held, at + 1);
  }
});

test('bytes that are no text become replacement characters, none are waited for', () => {
  const reader = new Utf8Reader();
  assert.equal(reader.read(Uint8Array.of(0x80, 0xff, 0xc0, 0x41)), '\ufffd\ufffd\ufffdA');
  assert.equal(reader.held, 0);
});

test('half a character at the end of the stream becomes a replacement character', () => {
  const reader = new Utf8Reader();
  assert.equal(reader.read(Uint8Array.of(0x41, 0xe2, 0x82)), 'A');
  assert.equal(reader.end(), '\ufffd');
});

test('a cut falls between characters', () => {
  const bytes = Buffer.from(TEXT);
  for (let at = 0; at <= bytes.length; at += 1) {
    const before = cutBefore(bytes, at);
    const after = cutAfter(bytes, at);
    assert.ok(before <= at && after >= at);
    for (const cut of [before, after]) {
      assert.equal(bytes.subarray(0, cut).toString() + bytes.subarray(cut).toString(), TEXT);
    }
  }
});
