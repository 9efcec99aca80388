import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldedNames } from './folded-names.ts';

test('names that differ in one number are written once', () => {
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[], []],
    [['web'], ['web']],
    [['web-1'], ['web-1']],
    [
      ['web-1', 'web-2', 'web-3', 'db'],
      ['web-[1-3]', 'db'],
    ],
    [['web-3', 'web-1', 'web-10'], ['web-[1,3,10]']],
    [['web-9', 'web-10', 'web-11'], ['web-[9-11]']],
    [['web-01', 'web-02', 'web-10'], ['web-[01-02,10]']],
    [
      ['web-09', 'web-10', 'web-9'],
      ['web-[09-10]', 'web-9'],
    ],
    [
      ['a1.de', 'a2.de', 'a3.us'],
      ['a[1-2].de', 'a3.us'],
    ],
    [
      ['r1-web-1', 'r1-web-2', 'r2-web-1'],
      ['r1-web-[1-2]', 'r2-web-1'],
    ],
  ];
  for (const [names, folded] of cases) assert.deepEqual(foldedNames(names), folded);
});
