import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { shellQuote, shellQuoteAll } from './shell-quote.ts';

/** What a real sh passes on as the arguments of a command, read back byte for byte. */
function asSeenBySh(argv: readonly string[]): string[] {
  const script = `printf '%s\\0' ${shellQuoteAll(argv)}`;
  return execFileSync('/bin/sh', { input: script }).toString('utf8').split('\0').slice(0, -1);
}

const anyArgument = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        "'",
        '"',
        '\\',
        '$',
        '`',
        '(',
        ')',
        '\n',
        '\r',
        ' ',
        '-',
        '*',
        '~',
        '!',
        '\x81',
        '\x7f',
        'é',
        '日',
      ),
    }),
  )
  .map((text) => text.replaceAll('\0', '0'));

test('sh sees exactly the arguments that were quoted', () => {
  fc.assert(
    fc.property(fc.array(anyArgument, { minLength: 1, maxLength: 20 }), (argv) => {
      assert.deepEqual(asSeenBySh(argv), argv);
    }),
    { numRuns: 150 },
  );
});

test('nothing inside an argument is run', () => {
  const hostile = [
    '$(echo ran)',
    '`echo ran`',
    "'; echo ran; '",
    '-oProxyCommand=echo ran',
    '${HOME}',
    'a\necho ran',
    '\\',
  ];
  assert.deepEqual(asSeenBySh(hostile), hostile);
});

test('an empty argument stays an argument', () => assert.equal(shellQuote(''), "''"));

test('a NUL byte is refused', () => assert.throws(() => shellQuote('a\0b'), RangeError));

test('half of a surrogate pair is refused, since it would arrive as another text', () => {
  assert.throws(() => shellQuote('\ud800'), RangeError);
});
