import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { startSshdFleet } from '../support/sshd.ts';
import { POINTS, SILENT_STRIKES } from './points/catalogue.ts';
import { pointRun } from './points/point-run.ts';
import { plannedRuns } from './points/run-all.ts';
import { SQLITE } from './points/stores.ts';

const sshd = requireService('sshd');
/** No bound for speed, which tests may not depend on: one that only a lease that ran out would break. */
const LEASE_MS = 15_000;

test('the crash points are at least 40, and no two have the same name', () => {
  const names = new Set(POINTS.map(({ name }) => name));
  assert.equal(names.size, POINTS.length);
  assert.ok(names.size >= 40, `${names.size}`);
});

test('what falls silent without proof of death does so at points of the list', () => {
  const names = new Set(POINTS.map(({ name }) => name));
  assert.deepEqual(
    SILENT_STRIKES.filter(({ point }) => !names.has(point)),
    [],
  );
});

/** As `npm run crash`, of which these are a few. */
async function struck(n: number, name: string) {
  const points = POINTS.filter((point) => point.name === name);
  const [planned] = plannedRuns({ points, strategies: ['batch'], stores: [SQLITE] });
  assert.ok(planned, name);
  const fleet = await startSshdFleet({ count: 3, sshdPath: sshd.path ?? '', network: `127.77.${n}` });
  try {
    return await pointRun({ ...planned, fleet, name: `test-${n}` });
  } finally {
    await fleet.stop();
  }
}

const STRIKES = [
  ['a decision is about to be committed', 'journal.commit:before'],
  ['a decision is committed and told to nobody', 'store.commit:committed'],
  ['tasks are taken and nothing of them has begun', 'board.claim:after'],
  ['the intent to start a command is stored and nothing is sent', 'hosts.run:dispatched'],
  ['a host has begun a command and nobody knows', 'hosts.run:claimed'],
  ['a member is out of service and nobody knows', 'balancer.disable:after'],
] as const;

describe('a process that is killed at the moment when', { concurrency: 2, skip: sshd.skip ?? false }, () => {
  for (const [n, [moment, point]] of STRIKES.entries()) {
    test(`${moment} is followed by one that goes on: each command ran once, all members are back`, async () => {
      const { hits, problems, duplicateCommands, resumeMs } = await struck(n + 1, point);
      assert.deepEqual(problems, []);
      assert.equal(duplicateCommands, 0);
      assert.equal(hits, 1, 'it did not come by the point');
      assert.ok(resumeMs !== null && resumeMs < LEASE_MS, `it went on after ${resumeMs} ms`);
    });
  }
});
