import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GUARDED, memberOf, samplePlan, step } from '../../test/support/sample-plan.ts';
import { Turns } from '../../test/support/turns.ts';
import type { Hold } from '../domain/capacity.ts';
import { deploymentId } from '../domain/ids.ts';

const healthFailure = {
  kind: 'failed',
  error: { code: 'health_failed', message: 'GET /health gave 500', cause: 'health' },
  retryable: false,
} as const;
const commandFailure = {
  kind: 'failed',
  error: { code: 'command_failed', message: 'exit 3', cause: 'command' },
  retryable: true,
} as const;

const parked = (target: number, deployment = 'd0'): Hold => ({
  ...memberOf(target),
  deployment: deploymentId(deployment),
  target: `web-${target}`,
  phase: 'parked',
  reason: 'failed before',
  asFound: { session: 'user-enabled', weight: 42 },
});

describe('a deployment that goes well', () => {
  test('opens its batches in order, each when the one before has ended', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2]] }));
    assert.deepEqual([...turns.tasks.keys()], ['d1/0/0/0']);
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
    const opened = turns.kinds().filter((kind) => kind.startsWith('batch'));
    assert.deepEqual(opened, ['batch.opened', 'batch.ended', 'batch.opened', 'batch.ended']);
  });

  test('runs each step of each target exactly once', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2], [3, 4, 5]] }));
    turns.finish();
    assert.equal(turns.started.length, 6 * GUARDED.length);
    assert.equal(new Set(turns.started).size, turns.started.length);
  });

  test('works on no more targets of a batch at once than it may', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2, 3, 4]], parallel: 2 }));
    assert.equal(turns.tasks.size, 2);
    turns.report(0);
    assert.equal(turns.tasks.size, 2);
    turns.finish();
    assert.equal(turns.state.counts.succeeded, 5);
  });

  test('runs the lanes of a stage side by side', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1]], lanes: [[[2], [3]]] }));
    assert.deepEqual([...turns.tasks.values()].map((task) => task.target).sort(), ['web-0', 'web-2']);
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
  });

  test('works on no more targets at once than the plan says, and its lanes share that', () => {
    const policy = { parallel: 2 };
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2]], lanes: [[[3, 4, 5]]], policy }));
    const open = () => [...turns.tasks.values()].map((task) => task.target);
    assert.deepEqual(open(), ['web-0', 'web-3']);
    for (const _ of GUARDED) turns.report(3);
    assert.deepEqual(open(), ['web-0', 'web-4']);
    turns.finish();
    assert.equal(turns.state.counts.succeeded, 6);
  });

  test('keeps what a drain took out from its end until the return begins, and not before or after', () => {
    const reach = { kind: 'haproxy', socket: '/run/haproxy.sock' } as const;
    const drain = step('drain', { hold: 'keep', inputs: { balancers: { value: { lb: reach } } } });
    const steps = GUARDED.map((one) => (one.id === 'drain' ? drain : one));
    const turns = new Turns(samplePlan({ batches: [[0]], steps }));
    // A worker of another make may say anything beside it.
    const members = [{ ...memberOf(0), admin: 'offline' }, null, 'all', { pool: 'web' }];
    const kept: unknown[] = [];
    for (const { id } of steps) {
      turns.report(0, id === 'drain' ? { kind: 'done', outputs: { members } } : undefined);
      kept.push(turns.last?.keepOut);
    }
    const left = { ...memberOf(0), as: 'offline', reach };
    const place = { target: 'web-0', pool: 'default' };
    assert.deepEqual(kept, [[], [{ ...place, members: [left] }], [{ ...place, members: [] }], [], []]);
  });

  test('gives every hold back, and the settings as found reach the step that restores them', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    for (const _ of ['guard', 'drain', 'start']) turns.report(0);
    assert.deepEqual(turns.taskOf(0)?.inputs, {
      members: [{ ...memberOf(0), asFound: { session: 'user-enabled', weight: 0 } }],
    });
    assert.equal(turns.holds.size, 1);
    turns.report(0);
    assert.equal(turns.holds.size, 0);
  });

  test('hands an output to a later step', () => {
    const steps = [
      step('build'),
      step('other'),
      step('use', { inputs: { size: { from: 'build', output: 'bytes' } } }),
    ];
    const turns = new Turns(samplePlan({ batches: [[0]], steps }));
    turns.report(0, { kind: 'done', outputs: { bytes: 7 } });
    turns.report(0);
    assert.deepEqual(turns.taskOf(0)?.inputs, { size: 7 });
  });

  test('places the release on a target when its last step has succeeded', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    for (const _ of GUARDED.slice(1)) turns.report(0);
    assert.deepEqual(turns.last?.placed, []);
    turns.report(0);
    assert.deepEqual(turns.last?.placed, [{ target: 'web-0', release: turns.model.plan.release }]);
  });

  test('what was placed on a target that failed in the middle is unproven; of one that was only looked at it is not', () => {
    const failed = {
      kind: 'failed',
      error: { code: 'host_unreachable', message: 'gone' },
      retryable: false,
    } as const;
    const [looked, worked] = [0, 1].map(() => new Turns(samplePlan({ batches: [[0]] })));
    looked?.report(0, failed);
    assert.deepEqual(looked?.last?.unproven, []);
    worked?.report(0);
    worked?.report(0, failed);
    assert.deepEqual(worked?.last?.unproven, ['web-0']);
    assert.deepEqual(worked?.last?.placed, []);
  });
});

describe('the floor', () => {
  test('refuses a member that would take a pool under it, and asks again later', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2, 3]], floor: { count: 3 } }));
    turns.submit(...[0, 1, 2, 3].map((target) => turns.reportOf(target)));
    assert.equal(turns.holds.size, 1);
    assert.equal(turns.last?.rearm.length, 3);
    assert.equal(turns.last?.rearm[0]?.wakeAt, turns.now + 5_000);
  });

  test('counts members that were down before', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2, 3]], floor: { count: 3 } }));
    const task = turns.taskOf(0);
    assert.ok(task);
    turns.report(0, turns.seen(task, ['web-3:80']));
    assert.equal(turns.holds.size, 0);
  });

  test('counts what other deployments hold in the same pool', () => {
    const other: Hold = { ...parked(3), phase: 'taken' };
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2, 3]], floor: { count: 3 } }), {
      holds: [other],
    });
    turns.report(0);
    assert.equal(turns.holds.size, 1);
  });

  test('costs nothing for a member that is out of service already', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1]], floor: { count: 1 } }));
    const task = turns.taskOf(0);
    assert.ok(task);
    turns.report(0, turns.seen(task, ['web-0:80']));
    assert.equal(turns.holds.size, 1);
  });

  test('of a zone is kept while the pool could spare more, and does not bind the other zones', () => {
    const zoneFloor = { floor: { percent: 50 }, targets: [0, 1] };
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2, 3]], floor: { count: 1 }, zoneFloor }));
    turns.submit(...[0, 1, 2, 3].map((target) => turns.reportOf(target)));
    assert.deepEqual(
      [...turns.holds.values()].map(({ target }) => target),
      ['web-0', 'web-2', 'web-3'],
    );
    const refused = turns.events.filter((event) => event.kind === 'capacity.refused');
    assert.deepEqual(
      refused.map(({ target, pool, zone, inService, floor }) => ({ target, pool, zone, inService, floor })),
      [{ target: 1, pool: 'web', zone: 'north', inService: 0, floor: 1 }],
    );
  });

  test('of a zone counts its members that were down before, and what other deployments hold of it', () => {
    const takenWith = (out: readonly string[], holds: readonly Hold[]) => {
      const zoneFloor = { floor: { count: 2 }, targets: [0, 1, 2] };
      const turns = new Turns(samplePlan({ batches: [[0], [1, 2, 3]], zoneFloor }), { holds });
      const task = turns.taskOf(0);
      assert.ok(task);
      turns.report(0, turns.seen(task, out));
      return turns.target(0).held !== null;
    };
    const theirs = (target: number): Hold => ({ ...parked(target), phase: 'taken' });
    assert.equal(takenWith([], []), true);
    assert.equal(takenWith(['web-3:80'], [theirs(3)]), true, 'those of other zones are not its own');
    assert.equal(takenWith(['web-1:80'], []), false);
    assert.equal(takenWith([], [theirs(1)]), false);
    assert.equal(takenWith(['web-0:80', 'web-1:80'], []), true, 'what is out already costs nothing');
  });

  test('of a zone does not count members in reserve', () => {
    const takenWith = (reserve: readonly string[]) => {
      const zoneFloor = { floor: { count: 2 }, targets: [0, 1, 2] };
      const turns = new Turns(samplePlan({ batches: [[0], [1, 2, 3]], zoneFloor }));
      const observed = [{ balancer: 'lb', pool: 'web', configured: 4 - reserve.length, out: [], reserve }];
      turns.report(0, { kind: 'done', outputs: { observed, members: [{ ...memberOf(0), asFound: {} }] } });
      return turns.target(0).held !== null;
    };
    assert.equal(takenWith([]), true);
    assert.equal(takenWith(['web-2:80']), false);
    assert.equal(
      takenWith(['web-0:80', 'web-1:80', 'web-2:80']),
      true,
      'and to take one of them costs nothing',
    );
  });

  test('of a pool is not in the way of a member in reserve', () => {
    const takenWith = (reserve: readonly string[]) => {
      const turns = new Turns(samplePlan({ batches: [[0], [1, 2, 3]], floor: { count: 3 } }));
      const observed = [{ balancer: 'lb', pool: 'web', configured: 3, out: [], reserve }];
      turns.report(0, { kind: 'done', outputs: { observed, members: [{ ...memberOf(0), asFound: {} }] } });
      return turns.target(0).held !== null;
    };
    assert.equal(takenWith(['web-0:80']), true);
    assert.equal(takenWith(['web-3:80']), false);
  });

  test('of a zone is named when the deployment holds for it', () => {
    const zoneFloor = { floor: { count: 2 }, targets: [0, 1] };
    const turns = new Turns(samplePlan({ batches: [[0], [1]], zoneFloor }));
    turns.report(0);
    turns.now += 60_000;
    turns.report(0);
    assert.match(turns.state.reason, /zone north of web would have 1 in service, under its floor of 2/);
  });

  test('of a pool that its plan does not name is three quarters, whatever that of a zone is', () => {
    const plan = samplePlan({
      batches: [[0], [1, 2, 3]],
      zoneFloor: { floor: { count: 1 }, targets: [0, 1] },
    });
    const turns = new Turns({ ...plan, floors: plan.floors.filter(({ zone }) => zone !== undefined) });
    turns.submit(turns.reportOf(0));
    assert.equal(turns.holds.size, 1);
    const task = turns.taskOf(0);
    assert.ok(task);
    const low = new Turns({ ...plan, floors: plan.floors.filter(({ zone }) => zone !== undefined) });
    const asked = low.taskOf(0);
    assert.ok(asked);
    low.report(0, low.seen(asked, ['web-3:80']));
    assert.equal(low.holds.size, 0);
  });

  test('shrinks the batch to what the floor allows, whatever the policy says of waiting', () => {
    const policy = { capacity: { retryMs: 5_000, holdAfterMs: 0 } };
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2, 3]], floor: { count: 3 }, policy }));
    turns.submit(...[0, 1, 2, 3].map((target) => turns.reportOf(target)));
    turns.now += 600_000;
    turns.submit(...[1, 2, 3].map((target) => turns.reportOf(target)));
    assert.equal(turns.holds.size, 1);
    assert.equal(turns.state.status, 'running');
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
    assert.ok(!turns.kinds().includes('deployment.paused'));
  });

  test('waits for capacity that is not there, and goes on once it is', () => {
    const other: Hold = { ...parked(1), phase: 'taken', deployment: deploymentId('d7') };
    const turns = new Turns(samplePlan({ batches: [[0], [1]], floor: { count: 1 } }), { holds: [other] });
    turns.report(0);
    turns.now += 59_000;
    turns.report(0);
    assert.equal(turns.state.status, 'running');
    assert.equal(turns.target(0).held, null);
    turns.holds.clear();
    turns.report(0);
    assert.notEqual(turns.target(0).held, null);
  });

  test('holds when it waited too long, and goes on when it is resumed and there is room', () => {
    const other: Hold = { ...parked(1), phase: 'taken', deployment: deploymentId('d7') };
    const turns = new Turns(samplePlan({ batches: [[0], [1]], floor: { count: 1 } }), { holds: [other] });
    turns.report(0);
    turns.now += 60_000;
    turns.report(0);
    assert.equal(turns.state.status, 'paused');
    assert.match(turns.state.reason, /web would have 0 in service, under its floor of 1/);
    turns.holds.clear();
    turns.operator('resume');
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
  });

  test('holds at once where the policy says that nothing is waited for', () => {
    const policy = { capacity: { retryMs: 5_000, holdAfterMs: 0 } };
    const turns = new Turns(samplePlan({ batches: [[0], [1]], floor: { count: 2 }, policy }));
    turns.report(0);
    assert.equal(turns.state.status, 'paused');
    turns.operator('resume');
    turns.report(0);
    assert.equal(turns.state.status, 'paused', 'each time that it is tried');
  });

  test('does not hold for what the deployment itself has out, and does for what of it is parked', () => {
    const policy = {
      capacity: { retryMs: 5_000, holdAfterMs: 0 },
      maxFailures: { batch: {}, zone: {}, deployment: { count: 2 } },
    };
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2]], floor: { count: 2 }, policy }));
    turns.submit(turns.reportOf(0), turns.reportOf(1));
    assert.equal(turns.state.status, 'running');
    turns.submit(turns.reportOf(0, commandFailure), turns.reportOf(1));
    assert.equal(turns.target(0).status, 'failed');
    assert.equal(turns.state.status, 'paused');
    assert.match(turns.state.reason, /web would have 1 in service/);
  });

  test('of one zone holds the deployment although it works in another', () => {
    const policy = { capacity: { retryMs: 5_000, holdAfterMs: 0 } };
    const zoneFloor = { floor: { count: 2 }, targets: [0, 1] };
    const turns = new Turns(samplePlan({ batches: [[0], [1]], lanes: [[[2], [3]]], zoneFloor, policy }));
    turns.report(2);
    assert.equal(turns.state.status, 'running');
    turns.report(0);
    assert.match(turns.state.reason, /zone north of web would have 1 in service/);
    assert.equal(turns.state.status, 'paused');
  });

  test('is asked ever more rarely, at least once a minute', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1]], floor: { count: 2 } }));
    const pauses = [0, 30_000, 270_000, 86_000_000].map((waited) => {
      turns.now += waited;
      turns.report(0);
      return (turns.last?.rearm[0]?.wakeAt ?? 0) - turns.now;
    });
    assert.deepEqual(pauses, [5_000, 5_000, 30_000, 60_000]);
  });

  test('may refuse for longer than the guard may take: to wait for capacity is no failure', () => {
    const turns = new Turns(
      samplePlan({
        batches: [[0], [1]],
        floor: { count: 2 },
        policy: { capacity: { retryMs: 5_000, holdAfterMs: 1_800_000 } },
      }),
    );
    for (let waited = 0; waited < 600_000; waited += 30_000) {
      turns.report(0);
      turns.now += 30_000;
      turns.submit();
    }
    assert.equal(turns.state.status, 'running');
    assert.equal(turns.taskOf(0)?.step, 'guard');
    assert.ok(!turns.kinds().includes('task.cancelling'));
  });

  test('answers a guard that was late like any other: it asks again, and is not cancelled', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1]], floor: { count: 2 } }));
    turns.now += 60_001;
    turns.submit();
    assert.equal(turns.target(0).cancelling, 'deadline');
    turns.report(0);
    assert.equal(turns.target(0).cancelling, null);
    assert.equal(turns.taskOf(0)?.cancel, false);
    assert.equal(turns.taskOf(0)?.deadlineAt, turns.now + 65_000);
  });

  test('adopts a parked member with the settings it was first found with', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }), { holds: [parked(0)] });
    turns.report(0);
    assert.deepEqual(
      turns.last?.takeHolds.map((hold) => hold.asFound),
      [{ session: 'user-enabled', weight: 42 }],
    );
  });

  test('a parked member that is out costs nothing, one that its balancer has put back into service does', () => {
    const takenWith = (out: readonly string[]) => {
      const holds = [parked(0), parked(2)];
      const turns = new Turns(samplePlan({ batches: [[0], [1, 2]], floor: { count: 2 } }), { holds });
      const task = turns.taskOf(0);
      assert.ok(task);
      turns.report(0, turns.seen(task, out));
      return turns.target(0).held !== null;
    };
    assert.equal(takenWith(['web-0:80', 'web-2:80']), true);
    assert.equal(takenWith(['web-2:80']), false);
  });

  test('never takes a member that another deployment works on', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }), { holds: [{ ...parked(0), phase: 'taken' }] });
    turns.report(0);
    assert.equal(turns.target(0).held, null);
  });
});

describe('a failure', () => {
  const rollbackPlan = samplePlan({ batches: [[0]], verb: 'rollback', causedBy: 'd1' });

  test('of the health check stops the deployment and causes a rollback in the same commit', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2]] }), { planRollback: () => rollbackPlan });
    turns.report(0);
    turns.report(0);
    turns.report(0, healthFailure);
    assert.equal(turns.state.status, 'failed');
    assert.equal(turns.successor?.plan, rollbackPlan);
    const ended = turns.events.at(-1);
    assert.equal(ended?.kind === 'deployment.ended' && ended.rollback, 'd1-rollback');
    assert.equal(turns.tasks.size, 0);
  });

  test('tells the rollback which targets were touched and which are out of service', () => {
    let touched: unknown;
    const planRollback = (parent: { touched: unknown }) => {
      touched = parent.touched;
      return null;
    };
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2]] }), { planRollback });
    for (const _ of GUARDED) turns.report(0);
    turns.report(1);
    turns.report(1);
    turns.report(1, healthFailure);
    turns.report(2);
    assert.deepEqual(touched, [
      { target: 0, held: false },
      { target: 1, held: true },
    ]);
  });

  test('of a target that was retried leaves it among the touched ones, wherever the retry stands', () => {
    const policy = { onFailure: { health: 'pause', other: 'pause' } } as const;
    let touched: unknown;
    const turns = new Turns(samplePlan({ batches: [[0], [1]], policy }), {
      planRollback: (parent) => {
        touched = parent.touched;
        return null;
      },
    });
    for (const _ of GUARDED.slice(1)) turns.report(0);
    turns.report(0, commandFailure);
    turns.ofTarget('retry', 0);
    turns.operator('rollback');
    turns.report(0);
    assert.equal(turns.state.status, 'failed');
    assert.deepEqual(touched, [{ target: 0, held: false }]);
  });

  test('parks what was taken out, with the reason', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.report(0);
    turns.report(0, commandFailure);
    assert.deepEqual(
      [...turns.holds.values()].map(({ phase, reason }) => ({ phase, reason })),
      [{ phase: 'parked', reason: 'exit 3' }],
    );
  });

  test('lets steps that run end, starts nothing new, and leaves those targets parked for the rollback', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2]], parallel: 2 }), {
      planRollback: () => rollbackPlan,
    });
    turns.submit(turns.reportOf(0), turns.reportOf(1));
    turns.report(0, healthFailure);
    assert.equal(turns.state.status, 'running');
    turns.report(1);
    assert.equal(turns.state.status, 'failed');
    assert.equal(turns.target(2).status, 'pending');
    assert.equal(turns.holds.size, 2);
  });

  test('within the budget is an exception of a deployment that succeeds', () => {
    const policy = { maxFailures: { batch: {}, zone: {}, deployment: { count: 2 } } };
    const turns = new Turns(samplePlan({ batches: [[0], [1, 2]], policy }));
    turns.report(0, commandFailure);
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
    assert.equal(turns.state.exceptions, 1);
  });

  test('is tried again as the step says, with growing pauses, on the same task', () => {
    const steps = [step('start', { retries: { max: 2, backoffMs: 1_000 } })];
    const turns = new Turns(samplePlan({ batches: [[0]], steps }));
    turns.report(0, commandFailure);
    assert.deepEqual(turns.last?.rearm, [{ task: 'd1/0/0/0', wakeAt: turns.now + 1_000 }]);
    turns.report(0, commandFailure);
    assert.deepEqual(turns.last?.rearm, [{ task: 'd1/0/0/0', wakeAt: turns.now + 2_000 }]);
    turns.report(0, commandFailure);
    assert.equal(turns.target(0).status, 'failed');
  });

  test('is tried again with the pauses that the plan says, none longer than ten minutes', () => {
    const pausesOf = (retries: { max: number; backoffMs: number; factor?: number }) => {
      const turns = new Turns(
        samplePlan({ batches: [[0]], steps: [step('start', { retries, timeoutMs: 9_000_000 })] }),
      );
      return Array.from({ length: retries.max }, () => {
        turns.report(0, commandFailure);
        return (turns.last?.rearm[0]?.wakeAt ?? 0) - turns.now;
      });
    };
    assert.deepEqual(pausesOf({ max: 3, backoffMs: 500, factor: 1 }), [500, 500, 500]);
    assert.deepEqual(pausesOf({ max: 3, backoffMs: 500, factor: 1.5 }), [500, 750, 1_125]);
    assert.deepEqual(
      pausesOf({ max: 4, backoffMs: 100_000, factor: 3 }),
      [100_000, 300_000, 600_000, 600_000],
    );
  });

  test('of a percentage is counted over the batch, rounded up', () => {
    const policy = {
      maxFailures: { batch: { percent: 34 }, zone: {}, deployment: {} },
      onFailure: { health: 'pause', other: 'pause' },
    } as const;
    const turns = new Turns(samplePlan({ batches: [[0, 1, 2, 3]], policy }));
    turns.report(0, commandFailure);
    assert.equal(turns.state.status, 'running');
    turns.report(1, commandFailure);
    assert.equal(turns.state.status, 'paused');
  });

  test('of a percentage is counted over the targets that count', () => {
    const policy = {
      maxFailures: { batch: {}, zone: {}, deployment: { percent: 34 } },
      onFailure: { health: 'pause', other: 'pause' },
    } as const;
    const plan = samplePlan({
      batches: [
        [0, 1],
        [2, 3, 4, 5],
      ],
      policy,
    });
    const stages = plan.stages.map((stage) => ({
      ...stage,
      lanes: stage.lanes.map((lane) => ({
        ...lane,
        batches: lane.batches.map((batch, index) => ({ ...batch, countsFailures: index === 0 })),
      })),
    }));
    const turns = new Turns({ ...plan, stages });
    turns.report(0, commandFailure);
    assert.equal(turns.state.status, 'paused');
  });

  test('in a batch that does not count spends nothing', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1]], countsFailures: false }));
    turns.report(0, commandFailure);
    assert.equal(turns.state.status, 'running');
  });

  test('of a rollback holds it at its end and shows it', () => {
    const turns = new Turns(
      samplePlan({ batches: [[0, 1]], verb: 'rollback', causedBy: 'd0', countsFailures: false }),
    );
    turns.report(0, commandFailure);
    turns.finish();
    assert.equal(turns.state.status, 'paused');
    assert.match(turns.state.reason, /1 targets could not be rolled back/);
    turns.operator('resume');
    assert.equal(turns.state.status, 'failed');
  });

  test('of a rollback does not stop it, even if it is unknown what became of the target', () => {
    const turns = new Turns(
      samplePlan({ batches: [[0], [1]], verb: 'rollback', causedBy: 'd0', countsFailures: false }),
    );
    turns.report(0, { kind: 'unknown', seen: 'the host has rebooted' });
    turns.finish();
    assert.equal(turns.target(1).status, 'succeeded');
    assert.equal(turns.state.status, 'paused');
    assert.match(turns.state.reason, /1 targets could not be rolled back/);
  });

  test('whose rollback has nothing to return to says so', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.report(0);
    turns.report(0, healthFailure);
    const ended = turns.events.at(-1);
    assert.deepEqual(ended?.kind === 'deployment.ended' && ended.notes, [
      'no rollback: no earlier release is known for what was touched',
    ]);
  });
});

test('a guard that does not say what it saw fails its target, and the log goes on', () => {
  const turns = new Turns(samplePlan({ batches: [[0]] }));
  turns.report(0, { kind: 'done', outputs: {} });
  assert.equal(turns.target(0).status, 'failed');
  assert.equal(turns.holds.size, 0);
});

describe('what is unknown', () => {
  test('pauses the deployment and is never taken for success', () => {
    const turns = new Turns(samplePlan({ batches: [[0], [1]] }));
    turns.report(0);
    turns.report(0, { kind: 'unknown', seen: 'the host has rebooted' });
    assert.equal(turns.state.status, 'paused');
    assert.equal(turns.target(0).status, 'unknown');
    assert.equal(turns.tasks.size, 0);
    assert.equal([...turns.holds.values()][0]?.phase, 'parked');
  });

  test('after a deadline and an unproven cancel ends as unknown', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.report(0);
    turns.now += 60_001;
    turns.submit();
    assert.equal(turns.taskOf(0)?.step, 'drain');
    assert.equal(turns.last?.cancel.length, 1);
    turns.now += 120_001;
    turns.submit();
    assert.equal(turns.target(0).status, 'unknown');
    assert.equal(turns.state.status, 'paused');
  });

  test('an abort that meets a deadline in one lot still gives the cancel its time', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.report(0);
    turns.now += 60_001;
    turns.operator('abort');
    assert.equal(turns.target(0).status, 'running');
    assert.equal(turns.target(0).cancelling, 'abort');
    assert.equal(turns.last?.cancel.at(-1)?.deadlineAt, turns.now + 120_000);
  });

  test('a proven cancel after a deadline is a failure by time-out', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.report(0);
    turns.now += 60_001;
    turns.submit();
    turns.report(0, {
      kind: 'failed',
      error: { code: 'task_cancelled', message: 'the process group is gone', cause: 'cancelled' },
      retryable: false,
    });
    assert.equal(turns.target(0).status, 'failed');
  });

  test('a task that finished before its cancel arrived is taken as it was', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.report(0);
    turns.now += 60_001;
    turns.submit();
    turns.report(0);
    assert.equal(turns.taskOf(0)?.step, 'start');
  });
});

describe('the operator', () => {
  test('pauses: started targets finish, no fresh one begins', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1]], parallel: 1 }));
    turns.operator('pause');
    turns.finish();
    assert.equal(turns.target(0).status, 'succeeded');
    assert.equal(turns.target(1).status, 'pending');
    turns.operator('resume');
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
  });

  test('aborts: running commands are cancelled, their targets parked, and it ends when all have answered', () => {
    const turns = new Turns(samplePlan({ batches: [[0, 1], [2]] }));
    turns.submit(turns.reportOf(0), turns.reportOf(1));
    turns.operator('abort');
    assert.equal(turns.last?.cancel.length, 2);
    const gone = {
      kind: 'failed',
      error: { code: 'task_cancelled', message: 'gone', cause: 'cancelled' },
      retryable: false,
    } as const;
    turns.report(0, gone);
    assert.equal(turns.state.status, 'running');
    turns.report(1, gone);
    assert.equal(turns.state.status, 'aborted');
    assert.deepEqual(
      [...turns.holds.values()].map((hold) => hold.phase),
      ['parked', 'parked'],
    );
  });

  test('aborts: a command has the time that it may take to end', () => {
    const turns = new Turns(samplePlan({ batches: [[0]], steps: [step('start', { graceMs: 300_000 })] }));
    turns.operator('abort');
    assert.deepEqual(turns.last?.cancel, [{ task: 'd1/0/0/0', deadlineAt: turns.now + 420_000 }]);
  });

  test('aborts twice: the second changes nothing', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.operator('abort');
    assert.deepEqual(turns.operator('abort'), []);
  });

  test('aborts a deployment with nothing running at once', () => {
    const turns = new Turns(samplePlan({ batches: [[0]], parallel: 1 }));
    turns.report(0, { kind: 'unknown', seen: 'x' });
    turns.operator('abort');
    assert.equal(turns.state.status, 'aborted');
  });

  test('retries a failed target as a new attempt group from the first step', () => {
    const policy = { onFailure: { health: 'pause', other: 'pause' } } as const;
    const turns = new Turns(samplePlan({ batches: [[0]], policy }));
    turns.report(0);
    turns.report(0, commandFailure);
    turns.ofTarget('retry', 0);
    assert.equal(turns.taskOf(0)?.id, 'd1/0/0/1');
    turns.finish();
    turns.operator('resume');
    assert.equal(turns.state.status, 'succeeded');
    assert.equal(turns.state.exceptions, 0);
    assert.equal(turns.holds.size, 0);
  });

  test('skips a target: it is left out, and what was taken stays parked', () => {
    const policy = { onFailure: { health: 'pause', other: 'pause' } } as const;
    const turns = new Turns(samplePlan({ batches: [[0], [1]], policy }));
    turns.report(0);
    turns.report(0, commandFailure);
    turns.ofTarget('skip', 0);
    turns.ofTarget('skip', 1);
    turns.operator('resume');
    assert.equal(turns.state.status, 'succeeded');
    assert.equal(turns.state.exceptions, 2);
    assert.equal(turns.holds.size, 1);
  });

  test('skips a target whose step has ended while the deployment stops, whether that is heard in one turn or in three', () => {
    const heard = (inOneTurn: boolean) => {
      const turns = new Turns(samplePlan({ batches: [[0, 1]] }));
      const stop = { kind: 'abort', by: 'ann', reason: 'test' } as const;
      const done = turns.reportOf(0);
      const skip = { kind: 'skip', target: 0, by: 'ann', reason: 'test' } as const;
      if (inOneTurn) turns.submit(stop, done, skip);
      else for (const command of [stop, done, skip]) turns.submit(command);
      return turns.target(0).status;
    };
    assert.deepEqual([heard(true), heard(false)], ['skipped', 'skipped']);
  });

  test('is refused, with the reason in the log, what cannot be done', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    const events = turns.ofTarget('retry', 0);
    assert.deepEqual(events, [
      { kind: 'command.refused', command: 'retry', by: 'ann', why: 'the target is running' },
    ]);
  });

  test('is told that there is no such target', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    for (const kind of ['retry', 'skip'] as const) {
      assert.deepEqual(turns.ofTarget(kind, 7), [
        { kind: 'command.refused', command: kind, by: 'ann', why: 'the plan has no such target' },
      ]);
    }
  });

  test('cannot roll back a rollback, whoever asked for it', () => {
    const turns = new Turns(samplePlan({ batches: [[0]], verb: 'rollback' }));
    assert.equal(turns.operator('rollback')[0]?.kind, 'command.refused');
    assert.equal(turns.state.stop, null);
  });

  test('pauses before the start: it starts when it is resumed', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }), {
      first: [{ kind: 'pause', reason: 'not yet' }],
    });
    assert.equal(turns.state.status, 'paused');
    assert.ok(!turns.kinds().includes('deployment.started'));
    turns.operator('resume');
    assert.equal(turns.kinds().filter((kind) => kind === 'deployment.started').length, 1);
    turns.finish();
    assert.equal(turns.state.status, 'succeeded');
  });

  test('rolls back in the middle', () => {
    const rollbackPlan = samplePlan({ batches: [[0]], verb: 'rollback', causedBy: 'd1' });
    const turns = new Turns(samplePlan({ batches: [[0], [1]] }), { planRollback: () => rollbackPlan });
    turns.report(0);
    turns.operator('rollback');
    turns.report(0);
    assert.equal(turns.state.status, 'failed');
    assert.equal(turns.successor?.plan, rollbackPlan);
  });

  test('who resumes in the very lot in which time is up is heard', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.operator('pause');
    turns.now += 86_400_000;
    turns.operator('resume');
    assert.equal(turns.state.status, 'running');
    assert.equal(turns.state.stop, null);
  });

  test('who does not come back in time finds it aborted', () => {
    const turns = new Turns(samplePlan({ batches: [[0]], parallel: 1 }));
    turns.operator('pause');
    turns.now += 86_400_000;
    turns.submit();
    turns.report(0, commandFailure);
    assert.equal(turns.state.status, 'aborted');
  });
});

describe('late and repeated results', () => {
  test('change nothing', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    const report = turns.reportOf(0);
    turns.submit(report);
    assert.deepEqual(turns.submit(report), []);
  });

  test('in the same lot change nothing either', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    const report = turns.reportOf(0);
    turns.submit(report, report);
    assert.equal(turns.kinds().filter((kind) => kind === 'task.succeeded').length, 1);
  });

  test('of an older attempt group change nothing', () => {
    const policy = { onFailure: { health: 'pause', other: 'pause' } } as const;
    const turns = new Turns(samplePlan({ batches: [[0]], steps: [step('start'), step('settle')], policy }));
    const late = turns.reportOf(0);
    turns.report(0, commandFailure);
    turns.ofTarget('retry', 0);
    assert.deepEqual(turns.submit(late), []);
    assert.equal(turns.target(0).step, 0);
  });

  test('after the end change nothing', () => {
    const turns = new Turns(samplePlan({ batches: [[0]] }));
    turns.finish();
    assert.deepEqual(turns.operator('abort'), []);
  });
});

test('the log alone gives the same state', () => {
  const policy = { maxFailures: { batch: {}, zone: {}, deployment: { count: 5 } } };
  const turns = new Turns(samplePlan({ batches: [[0], [1, 2], [3, 4]], policy, floor: { count: 2 } }));
  turns.report(0, commandFailure);
  turns.finish();
  assert.deepEqual(turns.replayed(), turns.state);
});
