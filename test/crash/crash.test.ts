import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { seeded } from '../support/seeded.ts';
import { startSshdFleet } from '../support/sshd.ts';
import { crashRun } from './crash-run.ts';
import { type Kill, type Scenario, workloadOf } from './scenarios.ts';

const sshd = requireService('sshd');
/** No bound for speed, which tests may not depend on: one that only a lease that ran out would break. */
const LEASE_MS = 15_000;
const SEED = 1;

/** As `npm run crash`, with one kill and short commands on two hosts. */
async function crashed(n: number, setup: Scenario['setup'], kill: Kill) {
  const fleet = await startSshdFleet({ count: 2, sshdPath: sshd.path ?? '', network: `127.78.${n}` });
  try {
    const random = seeded(SEED + n);
    const scenario = { setup, kills: [kill], twice: false, balancer: false, proof: true };
    const workload = workloadOf(random, `test-${n}`, 16);
    return await crashRun({ scenario, fleet, random, workload });
  } finally {
    await fleet.stop();
  }
}

const KILLS = [
  ['a server that was killed is followed by one that goes on', 'http', 'server'],
  ['a worker that was killed is followed by one that attaches to the running commands', 'http', 'worker'],
  ['server and worker that were killed together are followed by others that go on', 'folder', 'both'],
  ['cut SSH connections are made again, and the commands are followed on', 'one', 'cut'],
] as const;

describe('a deployment over real sshd', { concurrency: 2, skip: sshd.skip ?? false }, () => {
  for (const [n, [title, setup, kill]] of KILLS.entries()) {
    test(`${title}: each command ran once, and no byte of its output is missing`, async () => {
      const { problems, duplicateCommands, resumes } = await crashed(n + 1, setup, kill);
      assert.deepEqual(problems, []);
      assert.equal(duplicateCommands, 0);
      for (const { ms } of resumes) assert.ok(ms < LEASE_MS, `it went on after ${ms} ms`);
    });
  }
});
