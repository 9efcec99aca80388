import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Draws } from '../../../test/support/draws.ts';
import { Onsets } from './onsets.ts';

/** A fair game: after each step the evidence of an onset is doubled or gone by half. The sums are ln of it. */
function play(draws: Draws, steps: number): { readonly most: number; readonly onsets: Onsets<number> } {
  const onsets = new Onsets(0);
  let sum = 0;
  let most = 1;
  for (let step = 0; step < steps; step += 1) {
    onsets.step(sum);
    sum += draws.chance(1 / 3) ? Math.log(2) : Math.log(1 / 2);
    most = Math.max(most, onsets.evidence((since) => Math.exp(sum - since)).evidence);
  }
  return { most, onsets };
}

test('all evidence together is 1 before there is any, and after an onset that has none', () => {
  const onsets = new Onsets(0);
  for (let step = 0; step < 500; step += 1) {
    onsets.step(0);
    assert.ok(Math.abs(onsets.evidence(() => 1).evidence - 1) < 1e-9);
  }
});

test('the evidence of a fair game reaches 20 in at most 1 of 20 games, however long they last', () => {
  let reached = 0;
  for (let seed = 1; seed <= 400; seed += 1) if (play(new Draws(seed), 600).most >= 20) reached += 1;
  assert.ok(reached <= 20 + 13, `${reached} of 400`);
});

test('it says after which step the harm began that has most of the evidence, also long after many others', () => {
  for (const begins of [0, 30, 700]) {
    const onsets = new Onsets(0);
    let sum = 0;
    let seen = { evidence: 1, after: 0 };
    for (let step = 0; step < begins + 40; step += 1) {
      onsets.step(sum);
      sum += step >= begins ? 1 : -0.5;
      seen = onsets.evidence((since) => Math.exp(sum - since));
    }
    assert.equal(seen.after, begins);
    assert.ok(seen.evidence > 1e6);
  }
});
