import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { exclusivityOn } from '../crash/exclusivity.ts';

const ROUNDS = 20;
const { skip = false } = requireService('mariadb');

for (const store of ['sqlite', 'mariadb'] as const) {
  test(`of 50 starts at once over three processes on ${store} exactly one is active, round after round`, {
    skip: store === 'mariadb' && skip,
  }, async () => {
    const { rounds, starts, violations, wins } = await exclusivityOn(store, ROUNDS);
    assert.deepEqual({ rounds, starts, violations }, { rounds: ROUNDS, starts: ROUNDS * 50, violations: 0 });
    assert.equal(
      wins.reduce((sum, one) => sum + one, 0),
      ROUNDS,
    );
  });
}
