import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { findGuards, guardsOf, ONLY_WORDS, withoutGuard } from './guards.ts';
import { MUTANTS } from './mutants.ts';
import { keyOf, SURVIVORS } from './survivors.ts';

/** The source without each of its guards in turn. */
const deleted = (source: string): readonly string[] =>
  guardsOf('a.ts', source).map((guard) => withoutGuard(source, guard));

test('an `if` that leaves is never taken, and any other always', () => {
  assert.deepEqual(deleted('function f() { if (a) return b; c(); }'), [
    'function f() { if (false) return b; c(); }',
  ]);
  assert.deepEqual(deleted('function f() { if (a) { b(); return; } }'), [
    'function f() { if (false) { b(); return; } }',
  ]);
  assert.deepEqual(deleted('function f() { if (a) b(); }'), ['function f() { if (true) b(); }']);
});

test('a choice between two ways is no guard', () => {
  assert.deepEqual(deleted('function f() { if (a) b(); else c(); return d ? e : g; }'), []);
});

test('each operand of a chain is left out once', () => {
  assert.deepEqual(deleted('const f = () => a && b && (c || d);'), [
    'const f = () => b && (c || d);',
    'const f = () => a && (c || d);',
    'const f = () => a && b;',
    'const f = () => a && b && (d);',
    'const f = () => a && b && (c);',
  ]);
});

test('a choice between something and nothing becomes the something', () => {
  assert.deepEqual(deleted('const f = () => (a ? b() : []);'), ['const f = () => (b());']);
  assert.deepEqual(deleted('const f = () => (a ? undefined : b);'), ['const f = () => (b);']);
});

test('a guard is named by its file, its line, its function and what is deleted', () => {
  const [guard] = guardsOf('src/engine/a.ts', '\nfunction f() {\n  if (a)\n    return b;\n}\n');
  assert.equal(guard?.name, 'a.ts:3 f: if (a) return b;');
});

test('every guard of the engine has a name of its own, and the code without it parses', () => {
  const guards = findGuards();
  assert.ok(guards.length >= 80, `${guards.length} guards`);
  assert.equal(new Set(guards.map(({ name }) => name)).size, guards.length);
  for (const guard of guards)
    stripTypeScriptTypes(withoutGuard(readFileSync(join(projectRoot, guard.file), 'utf8'), guard));
});

test('the functions that only find words are there, and have no guard', () => {
  const source = readFileSync(join(projectRoot, 'src/engine/decide-report.ts'), 'utf8');
  for (const name of ONLY_WORDS) assert.match(source, new RegExp(`function ${name}\\(`));
  assert.deepEqual(
    findGuards().filter(({ name }) => [...ONLY_WORDS].some((word) => name.includes(` ${word}: `))),
    [],
  );
});

test('every survivor that is explained is a planted bug or a guard of today', () => {
  const known = new Set([...MUTANTS, ...findGuards()].map(({ name }) => keyOf(name)));
  assert.deepEqual(
    Object.keys(SURVIVORS).filter((name) => !known.has(name)),
    [],
  );
});
