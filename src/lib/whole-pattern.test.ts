import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longestFor, patternFault, wholePattern } from './whole-pattern.ts';

test('a pattern matches a whole text, or not at all', () => {
  const pattern = wholePattern('[a-z]+|[0-9]{2}');
  for (const text of ['web', '42']) assert.match(text, pattern);
  for (const text of ['', 'web ', ' web', 'web\n', '\nweb', '42a', 'a42', 'WEB', 'web\n42'])
    assert.doesNotMatch(text, pattern, JSON.stringify(text));
});

test('what people write is taken', () => {
  for (const pattern of [
    ...['[a-z]+', 'v\\d{1,3}\\.\\d{1,3}', '[^/\\]]+', 'a|b', '(a|b)?', '(?:a|b)c*'],
    ...['\\p{L}+', '\\u{1F600}', '\\u0041+', '[(|)*]+', '\\(+\\)', '(ab)+', '.{0,64}', '((a|b)c){2}'],
    ...[
      '[a-z]+-[a-z]+',
      '\\d{1,3}(\\.\\d{1,3}){3}',
      '[a-z][a-z0-9-]{0,30}(\\.[a-z]{1,30}){0,2}',
      '(-x)?(-y)?(-z)?',
    ],
  ])
    assert.equal(patternFault(pattern), undefined, pattern);
});

test('a pattern that has to try more is given shorter texts', () => {
  for (const [pattern, longest] of [
    ['[a-z]+-[a-z]+', 1_024],
    ['\\d+\\.\\d+\\.\\d+', 128],
    ['a*a*a*', 128],
    ['.{0,500}.{0,500}.{0,500}', 128],
  ] as const)
    assert.deepEqual([patternFault(pattern), longestFor(pattern)], [undefined, longest], pattern);
});

test('what could leave its brackets, look around, or take for ever is refused', () => {
  for (const pattern of [
    ...['', 'x'.repeat(201), '[', 'a)|(b', '(', '*', '{', 'a{2', '\\'],
    ...['(?=a)b', '(?<!a)b', '(?<name>a)', '(a)\\1', '(?<n>a)\\k<n>'],
    ...['(a+)+', '(a*)*', '(?:a|aa)+', '((a+)b)*', '(a?a?)*', '([a-z]+\\.)*', '(a+)+?'],
    ...['a?'.repeat(30), '(a|a)'.repeat(30), '((a?){9}){9}'],
  ])
    assert.notEqual(patternFault(pattern), undefined, pattern);
});

test('a pattern that is taken anchors as it stands', () => {
  const piece = fc.constantFrom(
    'a',
    '.',
    '[^b]',
    '(',
    ')',
    '(?:',
    '|',
    '*',
    '+',
    '?',
    '{2}',
    '\\',
    '\\d',
    ']',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.string({ maxLength: 6 }), (pieces, text) => {
      const pattern = pieces.join('');
      if (patternFault(pattern) !== undefined) return;
      const found = wholePattern(pattern).exec(text);
      if (found) assert.equal(found[0], text);
    }),
    { numRuns: 5_000 },
  );
});

test('a pattern that is taken comes to an end on the longest text that almost fits', () => {
  const piece = fc.constantFrom(
    ...['a', '.', '(', ')', '(?:', '|', '*', '+', '?', '{2}', '{0,60}', '{0,999}?', 'a*', 'a?', '(a|a)'],
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const pattern = pieces.join('');
      if (patternFault(pattern) !== undefined) return;
      wholePattern(pattern).test(`${'a'.repeat(longestFor(pattern) - 1)}!`);
    }),
    { numRuns: 2_000 },
  );
});
