import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { withoutShortcuts } from '../../scripts/docs/folder-graph.ts';
import { replaceRegion } from '../../scripts/docs/regions.ts';
import { NOTE_CODES } from '../../src/plan/request.ts';

test('a region is replaced and the text around it is kept', () => {
  const text = 'before\n<!-- generated:a -->\nold\n<!-- /generated -->\nafter\n';
  const replaced = replaceRegion(text, 'a', 'new\n');
  assert.equal(replaced, 'before\n<!-- generated:a -->\nnew\n<!-- /generated -->\nafter\n');
  assert.equal(replaceRegion(replaced, 'a', 'new'), replaced);
});

test('a missing region is named', () => {
  assert.throws(() => replaceRegion('nothing here', 'a', 'new'), /lacks the region <!-- generated:a -->/);
});

test('the folder graph leaves out arrows that follow from others', () => {
  const graph = new Map([
    ['a', new Set(['b', 'c'])],
    ['b', new Set(['c'])],
    ['c', new Set<string>()],
  ]);
  assert.deepEqual([...(withoutShortcuts(graph).get('a') ?? [])], ['b']);
});

test('the guide to plans says of each note what it means, and of none that does not exist', () => {
  const guide = readFileSync(new URL('../../docs/guides/reading-a-plan.md', import.meta.url), 'utf8');
  const rows = guide.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code),
  );
  assert.deepEqual(named.toSorted(), [...NOTE_CODES].toSorted());
});
