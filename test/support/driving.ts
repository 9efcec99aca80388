import { memoryBell } from '../../src/adapters/memory/bell.ts';
import { openMemoryStore } from '../../src/adapters/memory/store.ts';
import type { StoredEvent } from '../../src/domain/event.ts';
import { type DeploymentId, deploymentId, parseTaskId, workerId } from '../../src/domain/ids.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { Driver } from '../../src/engine/driver.ts';
import { planHash } from '../../src/plan/hash.ts';
import { planRollback } from '../../src/plan/rollback.ts';
import type { Ids } from '../../src/ports/ids.ts';
import type { Journal } from '../../src/ports/journal.ts';
import type { ClaimedTask, Report } from '../../src/ports/task-board.ts';

export const LEASE_MS = 10_000;
type Answer = (task: ClaimedTask) => Report['outcome'];

/** Real drivers and one worker on the store in memory, whose clock the test moves. */
export class Driving {
  now = 1_800_000_000_000;
  readonly bell = memoryBell();
  readonly faults: unknown[] = [];
  readonly store = openMemoryStore({ bell: this.bell, now: () => this.now });
  #ids = 0;

  driver(owner: string, journal: Journal = this.store.journal): Driver {
    const next = () => `r${this.#ids++}`;
    const ids: Ids = { deployment: () => deploymentId(next()), command: () => next() as never };
    return new Driver(
      { journal, bell: this.bell, ids },
      {
        owner,
        gone: [],
        leaseMs: LEASE_MS,
        sweepMs: 60_000,
        planRollback,
        hashPlan: planHash,
        onFault: (_deployment, fault) => this.faults.push(fault),
      },
    );
  }

  async create(id: string, plan: Plan): Promise<DeploymentId> {
    const made = { id: deploymentId(id), plan, planHash: planHash(plan), by: 'ann', reason: 'test' };
    await this.store.journal.create(made);
    return made.id;
  }

  /** A worker takes what is due and reports it. Without an answer all goes well, and guards see every member serve. */
  async work(answer: Answer = good, max = 256): Promise<number> {
    const worker = workerId('w1');
    const capabilities = ['test.step@1'];
    const claim = { worker, pool: 'default', capabilities, max, leaseMs: 30_000, gone: [] };
    const claimed = await this.store.tasks.claim(claim);
    const reports = claimed.map((task) => ({ ...task, startedAt: this.now, outcome: answer(task) }));
    await this.store.tasks.report(worker, reports);
    return claimed.length;
  }

  /** Sweeps and works until neither changes anything. */
  async settle(driver: Driver, answer?: Answer): Promise<void> {
    for (let round = 0; round < 10_000; round += 1) {
      const isBusy = await driver.sweep();
      if ((await this.work(answer)) === 0 && !isBusy) return;
    }
    throw new Error('it never rests');
  }

  async events(deployment: DeploymentId): Promise<readonly StoredEvent[]> {
    return await this.store.views.events(deployment, 0, 1_000_000);
  }

  async status(deployment: DeploymentId): Promise<string | undefined> {
    return (await this.store.views.deployments({ id: deployment, limit: 1 }))[0]?.status;
  }
}

/** What a step should give; a guard sees a pool of a thousand, all in service. */
export function good(task: ClaimedTask): Report['outcome'] {
  if (task.step !== 'guard') return { kind: 'done', outputs: {} };
  const { target } = parseTaskId(task.task);
  return guarded({ target, configured: 1_000 });
}

export function guarded(seen: { target: number; configured: number }): Report['outcome'] {
  const pool = { balancer: 'lb', pool: 'web' };
  const members = [{ ...pool, member: `web-${seen.target}:80`, asFound: { session: 'user-enabled' } }];
  return {
    kind: 'done',
    outputs: { observed: [{ ...pool, configured: seen.configured, out: [] }], members },
  };
}
