import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fits } from './name-pattern.ts';

test('a name fits itself, and a star stands for any letters', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['web-1', 'web-1', true],
    ['web-1', 'web-10', false],
    ['web-*', 'web-', true],
    ['web-*', 'web-10', true],
    ['web-*', 'aweb-1', false],
    ['*', '', true],
    ['*-b-*', 'web-b-1', true],
    ['*-b-*', 'web-a-1', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab*ab', 'ab', false],
    ['*ab*ab', 'abab', true],
    ['w.b', 'web', false],
  ];
  for (const [pattern, name, expected] of cases)
    assert.equal(fits(pattern, name), expected, `${pattern} ${name}`);
});

test('it agrees with a regular expression', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
  fc.assert(
    fc.property(text, name, (pattern, of) => {
      assert.equal(fits(pattern, of), new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(of));
    }),
    { numRuns: 2_000 },
  );
});
