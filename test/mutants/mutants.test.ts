import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { type Mutant, patched } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** The names under which the issue lists the first twenty. */
const GIVEN: readonly string[] = [
  'blind-retry',
  'no-sweeper',
  'early-undrain',
  'act-before-intent',
  'acknowledge-before-claim',
  'floor-read-before-the-grant',
  'as-found-lost',
  'lease-not-renewed',
  'epoch-not-checked',
  'stale-result-accepted',
  'duplicate-inbox-row',
  'deadline-on-the-attempt',
  'abort-ignores-running',
  'rollback-to-the-parents-release',
  'others-returned-to-service',
  'flap-does-not-reset-the-window',
  'unknown-is-success',
  'skipped-target-enabled',
  'lock-freed-before-the-rollback',
  'timer-in-memory',
];

const sourceOf = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');

function patchedFiles({ edits }: Mutant): readonly { readonly file: string; readonly text: string }[] {
  return [...Map.groupBy(edits, ({ file }) => file)].map(([file, own]) => ({
    file,
    text: patched(sourceOf(file), own),
  }));
}

for (const mutant of MUTANTS) {
  test(`the planted bug ${mutant.name} fits the code of today, and the patched code parses`, () => {
    for (const { file, text } of patchedFiles(mutant)) {
      assert.notEqual(text, sourceOf(file));
      stripTypeScriptTypes(text);
    }
  });
}

test('there are at least forty planted bugs, each with a name of its own, and the twenty given ones are among them', () => {
  const names = new Set(MUTANTS.map(({ name }) => name));
  assert.equal(names.size, MUTANTS.length);
  assert.ok(names.size >= 40);
  assert.deepEqual(
    GIVEN.filter((name) => !names.has(name)),
    [],
  );
});

test('an edit whose text is not there, or there twice, is refused', () => {
  const edit = { file: 'a.ts', from: 'one', to: 'two' };
  assert.throws(() => patched('none', [{ ...edit, from: 'nowhere' }]), /nowhere/);
  assert.throws(() => patched('one one', [edit]), /more than once/);
});

test('edits of one file are applied side by side', () => {
  const edits = [
    { file: 'a.ts', from: 'c', to: 'C' },
    { file: 'a.ts', from: 'a', to: 'b a' },
  ];
  assert.equal(patched('a b c', edits), 'b a b C');
});
