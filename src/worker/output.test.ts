import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryClock } from '../adapters/memory/clock.ts';
import { taskIdFrom } from '../domain/ids.ts';
import type { TaskOutput } from '../ports/task-board.ts';
import { numbering } from './numbering.ts';
import { type OutputLimits, OutputLog } from './output.ts';

const LIMITS: OutputLimits = { headBytes: 1_000_000, tailBytes: 1_000, bufferBytes: 100_000, lingerMs: 100 };

function log(limits: Partial<OutputLimits> = {}) {
  const clock = new MemoryClock();
  const chunks: TaskOutput[] = [];
  const events: string[] = [];
  let gate = Promise.resolve();
  const output = new OutputLog({
    task: taskIdFrom('d/0/0/0'),
    epoch: 1,
    append: async (chunk) => {
      await gate;
      chunks.push(chunk);
      events.push(`append ${chunk.seq} ${JSON.stringify(chunk.checkpoint?.value ?? null)}`);
    },
    numbered: numbering(),
    clock,
    limits: { ...LIMITS, ...limits },
  });
  const close = () => clock.until(output.close());
  const text = () => chunks.map((chunk) => chunk.text).join('');
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  return { clock, output, chunks, events, close, text, hold };
}

test('small pieces are gathered into one chunk', async () => {
  const { output, chunks, clock } = log();
  for (let n = 0; n < 20; n += 1) await output.write(`${n} `);
  await clock.advance(150);
  assert.equal(chunks.length, 1);
  assert.equal(chunks[0]?.text, '0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ');
});

test('chunks have at most 64 KB, cut no character, and are numbered in order', async () => {
  const { output, chunks, close, text } = log();
  const written = 'aé€😀'.repeat(20_000);
  const writing = output.write(written);
  await close();
  await writing;
  assert.equal(text(), written);
  assert.ok(chunks.length > 3);
  chunks.forEach((chunk, n) => {
    assert.equal(chunk.seq, n);
    assert.ok(Buffer.byteLength(chunk.text) <= 65_536);
  });
});

test('a checkpoint goes with the text that it stands for', async () => {
  const { output, events, close } = log();
  await output.write('one', { offset: 3 });
  await output.write('two', { offset: 6 });
  await close();
  assert.deepEqual(events, ['append 0 {"offset":6}']);
});

test('pieces that fit into a chunk are not cut, so that every chunk has its checkpoint', async () => {
  const { output, events, close } = log();
  await output.write('x'.repeat(40_000), { offset: 40_000 });
  await output.write('y'.repeat(40_000), { offset: 80_000 });
  await close();
  assert.deepEqual(events, ['append 0 {"offset":40000}', 'append 1 {"offset":80000}']);
});

test('a checkpoint of a piece that is sent in parts goes with its last part', async () => {
  const { output, events, close } = log();
  await output.write('x'.repeat(70_000), { offset: 70_000 });
  await close();
  assert.deepEqual(events, ['append 0 null', 'append 1 {"offset":70000}']);
});

test('writers wait while the board does not take what is buffered', async () => {
  const { output, hold, clock } = log();
  const release = hold();
  let wrote = false;
  const writing = output.write('x'.repeat(150_000)).then(() => {
    wrote = true;
  });
  await clock.advance(1_000);
  assert.equal(wrote, false);
  release();
  await clock.until(writing);
});

test('past the head only the tail is kept, and what was dropped is counted to the byte', async () => {
  const { output, close, text } = log({ headBytes: 10, tailBytes: 5 });
  for (let n = 0; n < 100; n += 1) await output.write('0123456789');
  await close();
  assert.equal(text(), `0123456789\n[985 bytes dropped]\n56789`);
});

test('head and tail cut no character', async () => {
  const { output, close, text } = log({ headBytes: 4, tailBytes: 4 });
  await output.write('€€€€');
  await close();
  assert.equal(text(), '€\n[6 bytes dropped]\n€');
});

test('an output of just the head and the tail is whole', async () => {
  const { output, close, text } = log({ headBytes: 10, tailBytes: 5 });
  await output.write('0123456789abcde');
  await close();
  assert.equal(text(), '0123456789abcde');
});

test('after a flush no older checkpoint is stored any more', async () => {
  const { output, events, clock, close } = log({ headBytes: 3 });
  await output.write('onetwo', { offset: 6 });
  await clock.until(output.flush());
  events.push('stored by hand');
  await close();
  assert.deepEqual(events, ['append 0 null', 'stored by hand', 'append 1 null']);
});

test('what the board refuses for good is told to the writer', async () => {
  const output = new OutputLog({
    task: taskIdFrom('d/0/0/0'),
    epoch: 1,
    append: () => Promise.reject(new Error('no such task')),
    numbered: numbering(),
    clock: new MemoryClock(),
    limits: LIMITS,
  });
  await output.write('x');
  await assert.rejects(output.close(), /no such task/);
  await assert.rejects(output.write('y'), /no such task/);
});
