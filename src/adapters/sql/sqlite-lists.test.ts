import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeLists } from './sqlite-lists.ts';

describe('Lists in a statement for SQLite', () => {
  it('leaves a statement without lists as it is', () => {
    assert.deepEqual(writeLists('a = ? AND b = ?', [1, null]), { sql: 'a = ? AND b = ?', values: [1, null] });
  });

  it('writes a short list out where it stands among the other parameters', () => {
    assert.deepEqual(writeLists('a = ? AND b IN (?) AND c = ?', ['x', [1, 2, 3], 'y']), {
      sql: 'a = ? AND b IN (?, ?, ?) AND c = ?',
      values: ['x', 1, 2, 3, 'y'],
    });
  });

  it('writes an empty list as nothing, which no value is in', () => {
    assert.deepEqual(writeLists('NOT a IN (?) AND b = ?', [[], 7]), {
      sql: 'NOT a IN () AND b = ?',
      values: [7],
    });
  });

  it('gives a long list as one JSON parameter', () => {
    const long = Array.from({ length: 9 }, (_, index) => index);
    assert.deepEqual(writeLists('a IN (?)', [long]), {
      sql: 'a IN (SELECT value FROM json_each(?))',
      values: ['[0,1,2,3,4,5,6,7,8]'],
    });
  });
});
