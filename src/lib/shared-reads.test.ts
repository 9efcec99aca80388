import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedReads } from './shared-reads.ts';

const signal = new AbortController().signal;

function slow() {
  const answers: ((value: string) => void)[] = [];
  const begin = (): Promise<string> => new Promise((resolve) => answers.push(resolve));
  return { begin, answers };
}

test('those who ask for the same while it is read share one read; who asks after its end begins another', async () => {
  const reads = new SharedReads<string>();
  const { begin, answers } = slow();
  const both = [reads.read('web', begin, signal), reads.read('web', begin, signal)];
  const other = reads.read('api', begin, signal);
  assert.equal(answers.length, 2);
  for (const answer of answers) answer('seen');
  assert.deepEqual(await Promise.all([...both, other]), ['seen', 'seen', 'seen']);
  const next = reads.read('web', begin, signal);
  answers.at(-1)?.('seen later');
  assert.equal(await next, 'seen later');
});

test('a read that was begun before a write is not shared with who asks after it', async () => {
  const reads = new SharedReads<string>();
  const { begin, answers } = slow();
  const before = reads.read('web', begin, signal);
  reads.forget();
  const after = reads.read('web', begin, signal);
  answers[1]?.('after');
  assert.equal(await after, 'after');
  answers[0]?.('before');
  assert.equal(await before, 'before');
});

test('who gives up leaves the read to the others, and a failure is told to all and kept from nobody who asks again', async () => {
  const reads = new SharedReads<string>();
  const { begin, answers } = slow();
  const gone = new AbortController();
  const first = reads.read('web', begin, gone.signal);
  const second = reads.read('web', begin, signal);
  gone.abort(new Error('enough'));
  await assert.rejects(first, /enough/);
  answers[0]?.('seen');
  assert.equal(await second, 'seen');
  const failing = () => Promise.reject(new Error('no answer'));
  await assert.rejects(reads.read('web', failing, signal), /no answer/);
  const again = reads.read('web', begin, signal);
  answers[1]?.('back');
  assert.equal(await again, 'back');
  assert.throws(() => reads.read('web', begin, gone.signal), /enough/);
});

test('who has just written is given a read that was begun after that, shared with all who wrote meanwhile', async () => {
  const reads = new SharedReads<string>();
  const { begin, answers } = slow();
  const first = reads.readAnew('web', begin, signal);
  const others = [reads.readAnew('web', begin, signal), reads.readAnew('web', begin, signal)];
  const other = reads.readAnew('api', begin, signal);
  assert.equal(answers.length, 2, 'one of each key');
  answers[0]?.('first');
  answers[1]?.('api');
  assert.deepEqual([await first, await other], ['first', 'api']);
  assert.equal(answers.length, 3, 'both others share the next');
  const late = reads.readAnew('web', begin, signal);
  answers[2]?.('second');
  assert.deepEqual(await Promise.all(others), ['second', 'second']);
  await Promise.resolve();
  answers[3]?.('third');
  assert.equal(await late, 'third');
});

test('a read that fails, or that another gave up, does not keep the next from those who wait for it', async () => {
  const reads = new SharedReads<string>();
  const { begin, answers } = slow();
  const failing = reads.readAnew('web', () => Promise.reject(new Error('no answer')), signal);
  const gone = new AbortController();
  const given = reads.readAnew('web', begin, gone.signal);
  const next = reads.readAnew('web', begin, signal);
  gone.abort(new Error('enough'));
  await assert.rejects(failing, /no answer/);
  await assert.rejects(given, /enough/);
  answers[0]?.('seen');
  assert.equal(await next, 'seen');
});
