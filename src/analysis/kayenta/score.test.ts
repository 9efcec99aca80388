import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricLabel } from './classify.ts';
import { labelOf, type Scored, scoreOf } from './score.ts';

const result = (label: MetricLabel, groups: readonly string[], isCritical = false): Scored => ({
  ...{ name: 'm', label, groups, isCritical },
});
const scored = (results: readonly Scored[], groupWeights: Record<string, number> = {}) =>
  scoreOf(results, { groupWeights });

test('a group scores by what passed of what counts: no data and errors count nowhere', () => {
  const { groups, score } = scored([
    result('Pass', ['a']),
    result('Pass', ['a']),
    result('High', ['a']),
    result('NodataFailMetric', ['a']),
    result('Nodata', ['a']),
    result('Error', ['a']),
  ]);
  assert.deepEqual(groups, [{ name: 'a', score: 50, hasNothing: false, weight: 100 }]);
  assert.equal(score, 50);
});

test('groups without a weight share what the others leave; a metric counts in each of its groups', () => {
  const results = [result('Pass', ['a', 'b']), result('High', ['b', 'c'])];
  const { groups, score } = scored(results, { a: 40 });
  assert.deepEqual(
    groups.map(({ name, score, weight }) => [name, score, weight]),
    [
      ['a', 100, 40],
      ['b', 50, 30],
      ['c', 0, 30],
    ],
  );
  assert.equal(score, 55);
});

test('a group with nothing to count shows 0, and enters the sum as 100', () => {
  const { groups, score } = scored([result('Pass', ['a']), result('Pass', ['a']), result('Error', ['b'])]);
  assert.deepEqual(groups[1], { name: 'b', score: 0, hasNothing: true, weight: 50 });
  assert.equal(score, 100);
});

test('the score has two decimals', () => {
  assert.equal(scored([result('Pass', ['a']), result('Pass', ['a']), result('Low', ['a'])]).score, 66.67);
});

test('what is critical and did not pass makes it 0, and so does half without data, or nothing at all', () => {
  const critical = scored([result('Pass', ['a']), result('High', ['a'], true)]);
  assert.deepEqual([critical.score, critical.override], [0, 'm is critical, and High.']);
  const empty = scored([result('Pass', ['a']), result('Nodata', ['a'])]);
  assert.deepEqual([empty.score, empty.override], [0, '1 of 2 have no data.']);
  assert.equal(scored([result('Pass', ['a']), result('Pass', ['a']), result('Nodata', ['a'])]).score, 100);
  assert.equal(scored([]).score, 0);
});

test('defect 13: a group that is weighted and has no metric loses its points, and weights over 100 make others negative', () => {
  assert.equal(scored([result('Pass', ['a'])], { a: 50, gone: 50 }).score, 50);
  assert.equal(scored([result('Pass', ['a']), result('High', ['b'])], { a: 120 }).score, 120);
});

test('a label is that of the thresholds that there are', () => {
  assert.deepEqual(
    [95, 75, 74].map((score) => labelOf(score, { pass: 95, marginal: 75 })),
    ['Pass', 'Marginal', 'Fail'],
  );
  assert.deepEqual([labelOf(80, { marginal: 75 }), labelOf(0, {})], ['Pass', 'Pass']);
});
