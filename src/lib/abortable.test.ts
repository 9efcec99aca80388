import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abortable } from './abortable.ts';

test('one who gives up does not end the work of the others', async () => {
  const work = Promise.withResolvers<string>();
  const [giving, staying] = [new AbortController(), new AbortController()];
  const first = abortable(work.promise, giving.signal);
  const second = abortable(work.promise, staying.signal);
  giving.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  work.resolve('done');
  assert.equal(await second, 'done');
});

test('a signal that has ended already rejects at once', async () => {
  await assert.rejects(abortable(new Promise(() => {}), AbortSignal.abort(new Error('over'))), /over/);
});
