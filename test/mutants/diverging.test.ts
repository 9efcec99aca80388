import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { OBSERVER, observed, observerOf } from './diverging.ts';
import { findGuards, guardsOf } from './guards.ts';

/** Calls the function `f` of an observed source, and tells what it gave and which deletions would have changed it. */
function called(source: string, ...args: readonly unknown[]) {
  const seen = new Set<string>();
  const text = observed(source, guardsOf('a.ts', source));
  const f = new Function(OBSERVER, `${text}; return f;`)(observerOf(seen));
  return { value: f(...args), seen: [...seen].map((name) => name.replace(/^a\.ts:\d+ f: /, '')) };
}

test('an observed source does as before, and tells which deletion would have decided otherwise', () => {
  const source = 'function f(a, b) { if (a && b) return 1; return 2; }';
  assert.deepEqual(called(source, true, true), { value: 1, seen: ['if (a && b) return 1;'] });
  assert.deepEqual(called(source, true, false), { value: 2, seen: ['without b'] });
  assert.deepEqual(called(source, false, false), { value: 2, seen: [] });
});

test('guards inside of guards are observed as well', () => {
  const source = 'function f(a, b, c) { return a && (b || c) ? [a] : []; }';
  assert.deepEqual(called(source, true, false, true), { value: [true], seen: ['without c'] });
  assert.deepEqual(called(source, true, false, false), {
    value: [],
    seen: ['without (b || c)', 'always [a], not if a && (b || c)'],
  });
});

test('a deletion that breaks counts as one that decides otherwise', () => {
  const source = 'function f(a) { return a !== null && a.b ? 1 : 2; }';
  assert.deepEqual(called(source, null), { value: 2, seen: ['without a !== null'] });
});

test('every file of the engine parses with its guards observed', () => {
  for (const [file, guards] of Map.groupBy(findGuards(), (guard) => guard.file))
    stripTypeScriptTypes(observed(readFileSync(join(projectRoot, file), 'utf8'), guards));
});
