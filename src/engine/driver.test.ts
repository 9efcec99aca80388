import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Driving, good, guarded, LEASE_MS } from '../../test/support/driving.ts';
import { GUARDED, samplePlan } from '../../test/support/sample-plan.ts';
import { EdgeError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event.ts';
import { commandId, parseTaskId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import type { Journal, Lease } from '../ports/journal.ts';
import type { ClaimedTask, Report } from '../ports/task-board.ts';
import { evolve } from './evolve.ts';
import { modelOf } from './model.ts';
import { type DeploymentState, initialState } from './state.ts';

const STEPS = GUARDED.length;

/** `count` targets in one batch, by the sequence that a rollback knows too. */
function planOf(count: number, more: Partial<Plan> = {}): Plan {
  const targets = Array.from({ length: count }, (_, index) => index);
  const plan = samplePlan({ batches: [targets], parallel: 200 });
  const stages = plan.stages.map((stage) => ({
    ...stage,
    lanes: stage.lanes.map((lane) => ({
      ...lane,
      batches: lane.batches.map((batch) => ({ ...batch, sequence: 'rolling' })),
    })),
  }));
  return { ...plan, stages, sequences: { rolling: GUARDED }, ...more };
}

/** The journal as one driver sees it: `before` is called with the name of the method, and may reject in its place. */
function seenBy(journal: Journal, before: (method: keyof Journal, lease?: Lease) => Promise<void>): Journal {
  return {
    create: (...args) => journal.create(...args),
    submit: (...args) => journal.submit(...args),
    acquire: (...args) => before('acquire').then(() => journal.acquire(...args)),
    load: (...args) => before('load').then(() => journal.load(...args)),
    read: (lease, ...args) => before('read', lease).then(() => journal.read(lease, ...args)),
    commit: (lease, ...args) => before('commit', lease).then(() => journal.commit(lease, ...args)),
    release: (...args) => before('release').then(() => journal.release(...args)),
  };
}

const unavailable = () => new EdgeError('store_unavailable', 'The state store does not answer.');

/** Each step of each target has ended once, and the log has no gaps. */
function assertOnce(events: readonly StoredEvent[], targets: number): void {
  const ended = events.flatMap(({ event }) =>
    event.kind === 'task.succeeded' ? [`${event.target}/${event.step}`] : [],
  );
  assert.equal(ended.length, targets * STEPS);
  assert.equal(new Set(ended).size, ended.length);
  assert.deepEqual(
    events.map(({ version }) => version),
    events.map((_, index) => index + 1),
  );
}

describe('a driver', () => {
  test('drives a deployment to its end, and then rests', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(5));
    const driver = driving.driver('a');
    await driving.settle(driver);
    assert.equal(await driving.status(id), 'succeeded');
    assertOnce(await driving.events(id), 5);
    assert.equal(await driver.sweep(), false);
    assert.deepEqual(driving.faults, []);
  });

  test('runs until it is told to stop, woken by reports', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(3));
    const stop = new AbortController();
    const running = driving.driver('a').run(stop.signal);
    while ((await driving.status(id)) !== 'succeeded') {
      await driving.work();
      await new Promise((resolve) => setImmediate(resolve));
    }
    stop.abort();
    await running;
    assertOnce(await driving.events(id), 3);
  });

  test('takes more commands than fit in one lot', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(600, { policy: { ...planOf(1).policy, parallel: 600 } }));
    const driver = driving.driver('a');
    await driver.sweep();
    const commands = Array.from({ length: 1_100 }, (_, index) => ({
      deployment: id,
      command: { id: commandId(`c${index}`), by: 'ann', kind: 'resume' as const, reason: '' },
    }));
    await driving.store.journal.submit(commands);
    await driving.settle(driver);
    const refused = (await driving.events(id)).filter(({ event }) => event.kind === 'command.refused');
    assert.equal(refused.length, 1_100);
    assert.equal(await driving.status(id), 'succeeded');
  });

  test('goes on with other deployments when one cannot be loaded', async () => {
    const driving = new Driving();
    await driving.create('bad', planOf(1));
    const id = await driving.create('good', { ...planOf(2), project: 'other' });
    const journal: Journal = {
      ...driving.store.journal,
      load: async (deployment) => {
        if (deployment === 'bad') throw unavailable();
        return await driving.store.journal.load(deployment);
      },
    };
    await driving.settle(driving.driver('a', journal));
    assert.equal(await driving.status(id), 'succeeded');
    assert.ok(driving.faults.length > 0);
  });

  test('drives the rollback of a failed deployment to its end, which then has the lock', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(3));
    const driver = driving.driver('a');
    await driving.settle(driver, (task) => (isStartOf(task, 'd1', 1) ? UNHEALTHY : good(task)));
    const [rollback, parent] = await driving.store.views.deployments({ limit: 10 });
    assert.equal(parent?.id, id);
    assert.equal(parent?.status, 'failed');
    assert.equal(rollback?.causedBy, id);
    assert.equal(rollback?.status, 'succeeded');
    const { holds, targets } = await driving.store.views.fleet({ project: 'shop' });
    assert.deepEqual(holds, []);
    assert.ok(targets.every(({ release }) => release === '1.0.0-aaaaaaaa'));
    assert.equal(await driving.status(await driving.create('next', planOf(1))), 'pending');
  });
});

const UNHEALTHY: Report['outcome'] = {
  kind: 'failed',
  error: { code: 'health_failed', message: 'GET /health gave 500', cause: 'health' },
  retryable: false,
};

function isStartOf({ deployment, step, task }: ClaimedTask, of: string, target: number): boolean {
  return deployment === of && step === 'start' && parseTaskId(task).target === target;
}

describe('two drivers', () => {
  test('one that lost its lease between read and commit changes nothing, and the other goes on', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(4));
    const other = driving.driver('b');
    let races = 0;
    const journal = seenBy(driving.store.journal, async (method) => {
      if (method !== 'commit' || races >= 3) return;
      races += 1;
      driving.now += LEASE_MS + 1;
      await other.sweep();
    });
    const slow = driving.driver('a', journal);
    while (races < 3) {
      await slow.sweep();
      await driving.work(good, 2);
      driving.now += LEASE_MS + 1;
    }
    await driving.settle(other);
    assert.equal(await driving.status(id), 'succeeded');
    assertOnce(await driving.events(id), 4);
  });

  test('one that takes a deployment back does not trust what it remembers of it', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(4));
    const drivers = [driving.driver('a'), driving.driver('b')];
    for (let turns = 0; (await driving.status(id)) !== 'succeeded'; turns += 1) {
      assert.ok(turns < 100, 'it ends');
      await drivers[turns % 2]?.sweep();
      await driving.work(good, 2);
      driving.now += LEASE_MS + 1;
    }
    assertOnce(await driving.events(id), 4);
    assert.deepEqual(driving.faults, []);
  });

  test('one that is killed between read and commit is followed by the other when its lease has ended', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(4));
    for (let turns = 0; turns < 6; turns += 1) {
      const killed = Promise.withResolvers<void>();
      const journal = seenBy(driving.store.journal, async (method) => {
        if (method !== 'commit') return;
        killed.resolve();
        await new Promise(() => {});
      });
      void driving.driver(`killed-${turns}`, journal).sweep();
      await killed.promise;
      driving.now += LEASE_MS + 1;
      await driving.driver(`next-${turns}`).sweep();
      await driving.work(good, 3);
      driving.now += LEASE_MS + 1;
    }
    await driving.settle(driving.driver('last'));
    assert.equal(await driving.status(id), 'succeeded');
    assertOnce(await driving.events(id), 4);
  });

  test('never take a pool under its floor together: the one that read too early decides again', async () => {
    const driving = new Driving();
    const floors = [{ balancer: 'lb', pool: 'web', floor: { count: 1 } }];
    const shop = await driving.create('shop', planOf(1, { floors }));
    const [target] = planOf(1).targets;
    assert.ok(target);
    const members = [{ balancer: 'lb', pool: 'web', member: 'web-1:80' }];
    const api = await driving.create('api', {
      ...planOf(1, { floors }),
      project: 'api',
      targets: [{ ...target, members }],
    });
    await driving.driver('a').sweep();
    const other = driving.driver('a', onlyFor(driving.store.journal, shop));
    let isRaced = false;
    const journal = seenBy(driving.store.journal, async (method, lease) => {
      if (method !== 'commit' || lease?.deployment !== api || isRaced) return;
      isRaced = true;
      await other.sweep();
    });
    await driving.work((task) => guarded({ target: task.deployment === shop ? 0 : 1, configured: 2 }));
    await driving.driver('a', onlyFor(journal, api)).sweep();
    assert.ok(isRaced);
    const { holds } = await driving.store.views.fleet({});
    assert.deepEqual(
      holds.map(({ deployment }) => deployment),
      [shop],
    );
    const events = await driving.events(api);
    assert.equal(events.filter(({ event }) => event.kind === 'capacity.refused').length, 1);
    assert.deepEqual(driving.faults, []);
  });
});

test('a driver that is told to stop leaves its deployments to the next one, which need not wait for a lease', async () => {
  const driving = new Driving();
  const id = await driving.create('d1', planOf(1));
  const stop = new AbortController();
  const running = driving.driver('a').run(stop.signal);
  while ((await driving.status(id)) !== 'running') await new Promise(setImmediate);
  const next = driving.driver('b');
  await driving.work();
  assert.equal(await next.sweep(), false, 'the lease is not its own');
  stop.abort();
  await running;
  await driving.settle(next);
  assert.equal(await driving.status(id), 'succeeded');
  assert.deepEqual(driving.faults, []);
});

/** A driver that gets the lease of one deployment only. */
function onlyFor(journal: Journal, deployment: string): Journal {
  const acquire: Journal['acquire'] = async (...args) => {
    const acquired = await journal.acquire(...args);
    return acquired.filter(({ lease }) => lease.deployment === deployment);
  };
  return { ...journal, acquire };
}

test('a deployment that fails at every look is looked at ever more rarely', async () => {
  const driving = new Driving();
  const id = await driving.create('d1', planOf(1));
  let looks = 0;
  const journal: Journal = {
    ...driving.store.journal,
    load: async () => {
      looks += 1;
      throw new RangeError('a fault of Edge');
    },
  };
  const driver = driving.driver('a', journal);
  for (let sweeps = 0; sweeps < 100; sweeps += 1) await driver.sweep();
  assert.equal(looks, 7);
  assert.equal(await driving.status(id), 'pending');
});

describe('a store that does not answer', () => {
  test('and commits after the lot was taken and before the state is loaded again: no command is decided twice', async () => {
    const driving = new Driving();
    const { journal } = driving.store;
    const id = await driving.create('d1', planOf(2));
    let late: Parameters<Journal['commit']> | undefined;
    let isSlow = false;
    const driver = driving.driver('a', {
      ...journal,
      commit: async (...args) => {
        if (!isSlow) return journal.commit(...args);
        late = args;
        throw unavailable();
      },
      load: async (deployment) => {
        if (late) await journal.commit(...late);
        return journal.load(deployment);
      },
    });
    await driver.sweep();
    const asked = (kind: 'pause' | 'resume') => ({ id: commandId(kind), by: 'ann', kind, reason: '' });
    await journal.submit([
      { deployment: id, command: asked('pause') },
      { deployment: id, command: asked('resume') },
    ]);
    isSlow = true;
    await driver.sweep();
    isSlow = false;
    await driver.sweep();
    const steered = (await driving.events(id)).map(({ event }) => event.kind);
    assert.deepEqual(
      steered.filter((kind) => kind === 'deployment.paused' || kind === 'deployment.resumed'),
      ['deployment.paused', 'deployment.resumed'],
    );
  });

  test('is asked once for the lease and the lot of a deployment that is known', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(4));
    const calls: string[] = [];
    const driver = driving.driver(
      'a',
      seenBy(driving.store.journal, async (called) => void calls.push(called)),
    );
    await driver.sweep();
    calls.length = 0;
    await driving.work();
    await driver.sweep();
    assert.deepEqual(calls, ['acquire', 'commit']);
    await driving.settle(driver);
    assert.equal(await driving.status(id), 'succeeded');
  });

  for (const method of ['acquire', 'load', 'read', 'commit'] as const) {
    test(`at every third ${method} delays a deployment and changes nothing else`, async () => {
      const driving = new Driving();
      const id = await driving.create('d1', planOf(4));
      let calls = 0;
      const journal = seenBy(driving.store.journal, async (called) => {
        if (called === method && calls++ % 3 === 0) throw unavailable();
      });
      await patiently(driving, driving.driver('a', journal));
      assert.equal(await driving.status(id), 'succeeded');
      assertOnce(await driving.events(id), 4);
    });
  }

  test('after it has committed is found to have committed', async () => {
    const driving = new Driving();
    const id = await driving.create('d1', planOf(4));
    let calls = 0;
    const journal: Journal = {
      ...driving.store.journal,
      commit: async (...args) => {
        const done = await driving.store.journal.commit(...args);
        if (calls++ % 2 === 0) throw unavailable();
        return done;
      },
    };
    await patiently(driving, driving.driver('a', journal));
    assert.equal(await driving.status(id), 'succeeded');
    assertOnce(await driving.events(id), 4);
    assert.ok(driving.faults.length >= 4);
  });
});

/** Sweeps may fail: then there is another. */
async function patiently(driving: Driving, driver: ReturnType<Driving['driver']>): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    await driver.sweep().catch((fault: unknown) => driving.faults.push(fault));
    await driving.work(good, 1);
  }
}

test('a long deployment is snapshotted, and whoever loads the snapshot knows what the whole log says', async () => {
  const driving = new Driving();
  const count = 700;
  const plan = planOf(count);
  const id = await driving.create('d1', plan);
  const first = driving.driver('a');
  for (let round = 0; (await driving.store.journal.load(id)).snapshot === null; round += 1) {
    assert.ok(round < 1_000, 'there is a snapshot');
    await first.sweep();
    await driving.work();
  }
  const { snapshot, events } = await driving.store.journal.load(id);
  assert.ok(snapshot && snapshot.version >= 5_000);
  const model = modelOf(id, plan);
  const replay = (from: DeploymentState, log: readonly StoredEvent[]) =>
    log.reduce((state, { event }) => evolve(model, state, event), from);
  const whole = replay(initialState(model), await driving.events(id));
  assert.deepEqual(replay(snapshot.state as unknown as DeploymentState, events), whole);
  driving.now += LEASE_MS + 1;
  await driving.settle(driving.driver('b'));
  assert.equal(await driving.status(id), 'succeeded');
  assertOnce(await driving.events(id), count);
});
