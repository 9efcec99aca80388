import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProgressLines } from './progress-lines.ts';

function told(parts: readonly string[]): readonly string[] {
  const all: string[] = [];
  const lines = new ProgressLines((text) => all.push(text));
  for (const part of parts) lines.add(part);
  return all;
}

test('a line of progress is told without its mark, however the output is cut', () => {
  const text = 'x\n::edge progress 40% migrating é\ny ::edge progress no\n';
  fc.assert(
    fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const parts = at.slice(1).map((end, index) => text.slice(at[index], end));
      assert.deepEqual(told(parts), ['40% migrating é']);
    }),
  );
});

test('of many lines in one piece the newest is told', () => {
  const many = Array.from({ length: 1_000 }, (_, n) => `::edge progress ${n}\n`).join('');
  assert.deepEqual(told([many]), ['999']);
});

test('a line that has not ended, is empty, or has another mark is not told', () => {
  for (const text of [
    '::edge progress 1',
    '::edge progress  \n',
    '::edge output a=1\n',
    ' ::edge progress 1\n',
  ])
    assert.deepEqual(told([text]), [], text);
});

test('what is told does nothing to a terminal, and a long line costs no more than a short one', () => {
  assert.deepEqual(told(['::edge progress \x1b[2Jred\x07\u202e\tend\r\n']), ['red end']);
  const [long = ''] = told([`::edge progress ${'x'.repeat(10_000_000)}`, '\n']);
  assert.equal(long.length, 200);
});
