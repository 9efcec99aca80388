import assert from 'node:assert/strict';
import { test } from 'node:test';
import { taskIdFrom } from '../domain/ids.ts';
import { OutputLines } from './output-lines.ts';

const row = (task: string, text: string) => ({
  id: 1,
  task: taskIdFrom(task),
  target: task,
  step: 'start',
  at: 0,
  text,
});
const texts = (lines: readonly { target: string; text: string }[]) =>
  lines.map(({ target, text }) => `${target} ${text}`);

test('pieces of several tasks become whole lines, each of its own task', () => {
  const lines = new OutputLines();
  assert.deepEqual(texts(lines.add(row('a', 'one\ntw'))), ['a one']);
  assert.deepEqual(texts(lines.add(row('b', 'other\n'))), ['b other']);
  assert.deepEqual(texts(lines.add(row('a', 'o\n\nthree'))), ['a two', 'a ']);
  assert.deepEqual(texts(lines.rest()), ['a three']);
  assert.deepEqual(lines.rest(), []);
});

test('a line without an end is not kept without bound', () => {
  const lines = new OutputLines();
  assert.equal(lines.add(row('a', 'x'.repeat(10_000)))[0]?.text.length, 10_000);
  assert.deepEqual(lines.rest(), []);
});
