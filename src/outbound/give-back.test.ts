import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { givingBack } from './give-back.ts';

/** So many megabytes at so many a second, with a heap of which a look at all takes so long. */
function passing(megabytes: number, { perSecond, majorMs }: { perSecond: number; majorMs: number }) {
  const spentMs = { minor: 0, major: 0 };
  let now = 0;
  const given = givingBack(
    ({ type }) => {
      const ms = type === 'major' ? majorMs : 1;
      spentMs[type] += ms;
      now += ms;
    },
    () => now,
  );
  for (let passed = 0; passed < megabytes; passed += 1) {
    now += 1_000 / perSecond;
    given(1_000_000);
  }
  return { looks: { minor: spentMs.minor, major: spentMs.major / majorMs }, share: spentMs.major / now };
}

describe('what has passed in buffers', () => {
  test('is given back every 2 MB, and what has grown old every 48', () => {
    const { looks } = passing(480, { perSecond: 100, majorMs: 20 });
    assert.deepEqual(looks, { minor: 230, major: 10 });
  });

  test('has about a twentieth of the time for the old at most, however large the heap is and however fast it passes', () => {
    for (const majorMs of [20, 400, 3_000]) {
      const { share, looks } = passing(400_000, { perSecond: 400, majorMs });
      assert.ok(looks.major > 0);
      assert.ok(share < 0.055, `${share} at ${majorMs} ms each`);
    }
  });
});
