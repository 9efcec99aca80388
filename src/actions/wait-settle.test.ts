import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expectKind, Trial } from '../../test/support/trial.ts';
import { waitSettle } from './wait-settle.ts';

test('a target settles for the time that it was given, without holding a worker', async () => {
  const trial = new Trial();
  assert.equal(expectKind(await trial.attempt(waitSettle, { ms: 2_000 }), 'wait').wakeAfterMs, 2_000);
  await trial.clock.advance(2_000);
  expectKind(await trial.attempt(waitSettle, { ms: 2_000 }), 'done');
});

test('a settle of no time is done at once', async () => {
  expectKind(await new Trial().attempt(waitSettle, { ms: 0 }), 'done');
});
