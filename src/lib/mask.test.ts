import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMask, formsOf } from './mask.ts';

/** The masked text of a stream that arrives in the given chunks. */
function masked(secrets: readonly string[], chunks: readonly (string | Uint8Array)[]): string {
  const mask = createMask(secrets);
  const out = chunks.map((chunk) => Buffer.from(mask.write(Buffer.from(chunk))));
  return Buffer.concat([...out, mask.end()]).toString('latin1');
}

function cutAt(text: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => text.subarray(from, cuts[i] ?? text.length));
}

test('a secret is replaced by stars', () => {
  assert.equal(masked(['hunter22'], ['user=hunter22;']), 'user=***;');
});

test('a secret that is split over chunks is replaced', () => {
  assert.equal(masked(['hunter22'], ['user=hun', 'te', 'r22;']), 'user=***;');
});

test('bytes that only begin like a secret come through unchanged', () => {
  assert.equal(masked(['hunter22'], ['a hunt', 'er is not hunt']), 'a hunter is not hunt');
});

test('of two secrets that begin alike the longer one is hidden whole', () => {
  assert.equal(masked(['token', 'token-long'], ['a token', '-long b token c']), 'a *** b *** c');
});

test('secrets that overlap leave nothing of either', () => {
  assert.equal(masked(['abcdef', 'defghi'], ['-abcdefghi-']), '-***-');
});

test('each encoded form of a secret is hidden', () => {
  const secret = 'p@ss "w/rd"\'s é';
  const shown = [
    secret,
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll("'", "'\\''"),
  ];
  for (const form of shown) assert.equal(masked([secret], [`<${form}>`]), '<***>', form);
});

test('a secret inside a longer text in base64 is hidden at every alignment', () => {
  for (const user of ['a', 'ab', 'abc', 'abcd']) {
    const encoded = Buffer.from(`${user}:correct-horse-battery:x`).toString('base64');
    const out = masked(['correct-horse-battery'], [encoded]);
    assert.ok(out.includes('***'), out);
    assert.ok(!Buffer.from(out.replaceAll('***', ''), 'base64').toString().includes('horse'), out);
  }
});

test('each long line of a secret of many lines is hidden on its own', () => {
  const key = '-----BEGIN KEY-----\nAAAAB3NzaC1yc2E\n-----END KEY-----\n';
  assert.equal(masked([key], ['  AAAAB3NzaC1yc2E  ']), '  ***  ');
});

test('without secrets the bytes go through as they are', () => {
  assert.equal(masked([], ['any', 'thing']), 'anything');
});

test('an empty secret hides nothing', () => assert.equal(masked([''], ['text']), 'text'));

test('both halves of a secret are hidden where bytes between them were left out', () => {
  const mask = createMask(['correct-horse-battery']);
  const before = Buffer.concat([mask.write(Buffer.from('x correct-ho')), mask.gap()]).toString();
  const after = Buffer.concat([mask.write(Buffer.from('attery y')), mask.end()]).toString();
  assert.deepEqual([before, after], ['x ***', '*** y']);
});

test('where the stream is cut into chunks makes no difference', () => {
  const secret = fc.string({ unit: fc.constantFrom('a', 'b', "'", '%', 'é'), minLength: 1, maxLength: 8 });
  const stream = fc.array(fc.oneof(fc.constantFrom('a', 'b', "'", ' ', '%27'), secret), { maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(secret, { minLength: 1, maxLength: 4 }),
      stream,
      fc.array(fc.nat(300)),
      (secrets, parts, cuts) => {
        const text = Buffer.from(parts.join(''));
        assert.equal(masked(secrets, cutAt(text, cuts)), masked(secrets, [text]));
      },
    ),
    { numRuns: 1_000 },
  );
});

test('no form of a secret ever comes through, wherever the stream is cut', () => {
  const noise = fc.uint8Array({ maxLength: 40 });
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary-ascii', minLength: 6, maxLength: 24 }).filter((text) => !text.includes('*')),
      fc.array(noise, { minLength: 2, maxLength: 6 }),
      fc.array(fc.nat(800)),
      (secret, noises, cuts) => {
        const forms = formsOf(secret).filter((form) => form.length > 4);
        const text = Buffer.concat(
          noises.flatMap((bytes, i) => [bytes, Buffer.from(forms[i % forms.length] ?? secret)]),
        );
        const out = masked([secret], cutAt(text, cuts));
        for (const form of forms)
          assert.ok(!out.includes(Buffer.from(form).toString('latin1')), `${form} in ${out}`);
      },
    ),
    { numRuns: 500 },
  );
});

test('what is held back is shorter than the longest form', () => {
  const secret = 'abcdefgh';
  const longest = Math.max(...formsOf(secret).map((form) => form.length));
  const mask = createMask([secret]);
  let into = 0;
  let out = 0;
  for (const chunk of ['xx', 'abc', 'abcdefg', 'yyyy', 'abcdef']) {
    into += chunk.length;
    out += mask.write(Buffer.from(chunk)).length;
    assert.ok(into - out < longest);
  }
});
