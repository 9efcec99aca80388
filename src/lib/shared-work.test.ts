import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SharedWork } from './shared-work.ts';

const NEVER = new AbortController().signal;

describe('shared work', () => {
  test('is done once for all who ask while it is under way, and again for who asks after it', async () => {
    const work = new SharedWork<number>();
    let begun = 0;
    const begin = async () => {
      begun += 1;
      return begun;
    };
    const asked = [1, 2, 3].map(() => work.join('a', begin, NEVER));
    assert.deepEqual(await Promise.all(asked), [1, 1, 1]);
    assert.equal(await work.join('a', begin, NEVER), 2);
    assert.equal(await work.join('b', begin, NEVER), 3);
  });

  test('goes on while somebody waits for it, and is ended when nobody does', async () => {
    const work = new SharedWork<string>();
    const ended: string[] = [];
    const begin = (signal: AbortSignal) =>
      new Promise<string>((_, reject) =>
        signal.addEventListener('abort', () => {
          ended.push('first');
          reject(signal.reason);
        }),
      );
    const [one, two] = [new AbortController(), new AbortController()];
    const first = work.join('a', begin, one.signal);
    const second = work.join('a', begin, two.signal);
    one.abort(new Error('one is gone'));
    await assert.rejects(first, /one is gone/);
    assert.deepEqual(ended, []);
    two.abort(new Error('two is gone'));
    await assert.rejects(second, /two is gone/);
    assert.deepEqual(ended, ['first']);
  });

  test('never runs twice at once: who comes after the end waits until it has ended', async () => {
    const work = new SharedWork<string>();
    const slow = Promise.withResolvers<string>();
    const order: string[] = [];
    const leave = new AbortController();
    const first = work.join('a', () => slow.promise.finally(() => order.push('first ends')), leave.signal);
    await Promise.resolve();
    leave.abort(new Error('gone'));
    await assert.rejects(first, /gone/);
    const second = work.join('a', async () => String(order.push('second begins')), NEVER);
    slow.resolve('late');
    assert.equal(await second, '2');
    assert.deepEqual(order, ['first ends', 'second begins']);
  });

  test('a failure is that of all who wait, and of nobody after them', async () => {
    const work = new SharedWork<string>();
    const fails = () => Promise.reject(new Error('no'));
    const asked = [1, 2].map(() => work.join('a', fails, NEVER));
    for (const each of asked) await assert.rejects(each, /no/);
    assert.equal(await work.join('a', async () => 'yes', NEVER), 'yes');
  });
});
