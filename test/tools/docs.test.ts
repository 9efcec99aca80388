import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutShortcuts } from '../../scripts/docs/folder-graph.ts';
import { replaceRegion } from '../../scripts/docs/regions.ts';

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
