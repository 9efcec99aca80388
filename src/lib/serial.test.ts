import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSerial } from './serial.ts';

test('starts the next work only when the one before has ended, also when that failed', async () => {
  const serial = createSerial();
  const seen: string[] = [];
  const work =
    (name: string, fails = false) =>
    async () => {
      seen.push(`${name} starts`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const results = await Promise.allSettled([serial(work('a', true)), serial(work('b'))]);
  assert.deepEqual(seen, ['a starts', 'a ends', 'b starts', 'b ends']);
  assert.deepEqual(
    results.map((result) => result.status),
    ['rejected', 'fulfilled'],
  );
});
