import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Event } from '../../src/domain/event.ts';
import { deploymentId, planHash, releaseId } from '../../src/domain/ids.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { hashOf } from '../../src/lib/hash.ts';
import {
  claimOf,
  commitOf,
  deployment,
  done,
  ENDED,
  hold,
  lease,
  RELEASE,
  SUMMARY,
  task,
  taskOf,
  WORKER,
  waiting,
} from './sample.ts';
import { type OpenStore, using } from './store.ts';

const ALL = { limit: 100 };

/** A deployment whose targets 0 and 1 go through two steps, and target 2 through one. */
function deploymentInSteps(id: string, project?: string) {
  const made = deployment(id, { targets: 3, ...(project !== undefined && { project }) });
  const step = (name: string) => ({
    ...{ id: name, action: 'run@1', inputs: {}, timeoutMs: 1_000, onUnknown: 'ask' as const },
    retries: { max: 0, backoffMs: 0 },
  });
  const batch = (sequence: string, targets: readonly number[]) => ({
    ...{ name: 'all', sequence, targets, parallel: 2, countsFailures: true },
  });
  const plan: Plan = {
    ...made.plan,
    sequences: { rolling: [step('drain'), step('start')], plain: [step('start')] },
    stages: [{ name: 'a', lanes: [{ zone: 'a', batches: [batch('rolling', [0, 1]), batch('plain', [2])] }] }],
  };
  return { ...made, plan, planHash: planHash(hashOf(plan)) };
}

const attempt = (target: number, step: number) => ({
  ...{ target, step, group: 0, attempt: 1, worker: WORKER, startedAt: 1_000 },
});

/** What every `Views` keeps to. */
export function viewsContract(name: string, open: OpenStore): void {
  const withStore = using(open);
  const made = deployment('d1');
  const { id } = made;

  describe(`${name}: views`, () => {
    test(
      'a new deployment is in the list at once, pending',
      withStore(async ({ journal, views, now }) => {
        await journal.create(made);
        assert.deepEqual(await views.deployments(ALL), [
          {
            id,
            project: 'shop',
            environment: 'production',
            verb: 'deploy',
            hard: false,
            release: RELEASE,
            version: '2.0.0',
            planHash: made.planHash,
            by: 'ada',
            causedBy: null,
            createdAt: now(),
            startedAt: null,
            endedAt: null,
            streamVersion: 1,
            status: 'pending',
            reason: 'release 2.0.0',
            counts: { total: 2, succeeded: 0, failed: 0, skipped: 0, active: 0 },
            ended: false,
            exceptions: 0,
          },
        ]);
        assert.deepEqual(await views.plan(id), made.plan);
        assert.equal(await views.plan(deploymentId('nobody')), null);
      }),
    );

    test(
      'the summary of each commit is what the list shows, with the times of start and end',
      withStore(async ({ journal, views, advance, now }) => {
        const own = await lease(journal, made);
        advance(5);
        const startedAt = now();
        await journal.commit(own, commitOf({ events: [{ kind: 'deployment.started' }] }));
        advance(5);
        const counts = { ...SUMMARY.counts, succeeded: 1, active: 0 };
        const summary = { ...ENDED, reason: 'one was skipped', exceptions: 1, counts };
        await journal.commit(own, commitOf({ expectedVersion: 2, summary }));
        const [row] = await views.deployments({ ...ALL, id });
        assert.ok(row);
        assert.deepEqual([row.startedAt, row.endedAt, row.streamVersion], [startedAt, now(), 2]);
        assert.deepEqual(
          [row.status, row.reason, row.ended, row.exceptions, row.counts],
          ['succeeded', 'one was skipped', true, 1, counts],
        );
      }),
    );

    test(
      'the list is filtered, newest first, up to its limit',
      withStore(async ({ journal, views, advance }) => {
        const own = await lease(journal, made);
        await journal.commit(own, commitOf({ summary: ENDED }));
        for (const [n, project] of [
          [2, 'shop'],
          [3, 'blog'],
        ] as const) {
          advance(1);
          await journal.create(deployment(`d${n}`, { project }));
        }
        const listed = async (filter: object) =>
          (await views.deployments({ ...ALL, ...filter })).map((row) => row.id);
        assert.deepEqual(await listed({}), ['d3', 'd2', 'd1']);
        assert.deepEqual(await listed({ limit: 1 }), ['d3']);
        assert.deepEqual(await listed({ project: 'shop' }), ['d2', 'd1']);
        assert.deepEqual(await listed({ ended: false, environment: 'production' }), ['d3', 'd2']);
        assert.deepEqual(await listed({ ended: true }), ['d1']);
        assert.deepEqual(await listed({ environment: 'staging' }), []);
        assert.deepEqual(await listed({ project: 'shop', release: RELEASE }), ['d2', 'd1']);
        assert.deepEqual(await listed({ release: releaseId('1.0.0-0a1b2c3d') }), []);
        advance(1);
        await journal.create(deployment('e4', { verb: 'exec' }));
        advance(1);
        await journal.create(deployment('e5', { verb: 'drift' }));
        assert.deepEqual(await listed({ deploys: true }), ['d3', 'd2', 'd1']);
        assert.deepEqual(await listed({ deploys: false }), ['e5', 'e4']);
        assert.deepEqual(await listed({ verb: 'drift' }), ['e5']);
        assert.deepEqual(await listed({ besides: 'drift', deploys: false }), ['e4']);
        const [{ by } = { by: '' }] = await views.deployments(ALL);
        assert.equal((await listed({ by })).length, 5);
        assert.deepEqual(await listed({ by: 'nobody' }), []);
        const [{ createdAt } = { createdAt: 0 }] = await views.deployments({ ...ALL, verb: 'exec' });
        assert.deepEqual(await listed({ until: createdAt, limit: 1 }), ['e4']);
        assert.deepEqual(await listed({ until: createdAt - 1, limit: 1 }), ['d3']);
      }),
    );

    test(
      'events are read from any version on',
      withStore(async ({ journal, views }) => {
        const own = await lease(journal, made);
        const opened = [0, 1, 2].map((stage) => ({ kind: 'stage.opened', stage }) as const);
        await journal.commit(own, commitOf({ events: opened }));
        const read = async (after: number, limit: number) =>
          (await views.events(id, after, limit)).map(({ version }) => version);
        assert.deepEqual(await read(0, 2), [1, 2]);
        assert.deepEqual(await read(2, 100), [3, 4]);
        assert.deepEqual(await read(4, 100), []);
      }),
    );

    test(
      'open tasks show who works on them, and what they wait for',
      withStore(async ({ journal, tasks, views, now }) => {
        const own = await lease(journal, made);
        const rows = [0, 1, 2, 3].map((n) => task(id, n, { wakeAt: n === 3 ? now() + 1_000 : n }));
        await journal.commit(own, commitOf({ open: rows }));
        const [first, second] = await tasks.claim(claimOf({ max: 3 }));
        assert.ok(first && second);
        await tasks.report(WORKER, [waiting(first, 5_000), done(second)]);
        assert.deepEqual(
          (await views.tasks(id)).map((row) => [row.task, row.status, row.worker, row.progress, row.wakeAt]),
          [
            [taskOf(id, 0), 'waiting', null, '1 of 3', now() + 5_000],
            [taskOf(id, 1), 'claimed', null, null, 1],
            [taskOf(id, 2), 'claimed', WORKER, null, 2],
            [taskOf(id, 3), 'ready', null, null, now() + 1_000],
          ],
        );
      }),
    );

    test(
      'output is read by task, by target and from any row on',
      withStore(async ({ journal, tasks, views }) => {
        const own = await lease(journal, made);
        await journal.commit(own, commitOf({ open: [task(id, 0), task(id, 1)] }));
        const claimed = await tasks.claim(claimOf());
        await tasks.appendOutput(
          WORKER,
          claimed.flatMap(({ task: of, epoch, target }) =>
            [0, 1].map((seq) => ({ task: of, epoch, seq, text: `${target} ${seq}` })),
          ),
        );
        const read = async (query: object) =>
          views.output({ deployment: id, after: 0, limit: 100, ...query });
        const all = await read({});
        assert.deepEqual(
          all.map(({ text }) => text),
          ['web-0 0', 'web-0 1', 'web-1 0', 'web-1 1'],
        );
        assert.deepEqual(await read({ task: taskOf(id, 1) }), all.slice(2));
        assert.deepEqual(await read({ target: 'web-0' }), all.slice(0, 2));
        assert.deepEqual(await read({ after: all[1]?.id, limit: 1 }), all.slice(2, 3));
      }),
    );

    test(
      'the fleet is what is held, and which release each target last got',
      withStore(async ({ journal, views, now }) => {
        const own = await lease(journal, made);
        const takeHolds = [hold(id, 0)];
        const placed = [{ target: 'web-1', release: RELEASE }];
        await journal.commit(own, commitOf({ takeHolds, placed }));
        const { project, environment } = made.plan;
        const fleet = {
          holds: takeHolds,
          targets: [
            {
              project,
              environment,
              target: 'web-1',
              release: RELEASE,
              unproven: false,
              at: now(),
              deployment: id,
            },
          ],
        };
        assert.deepEqual(await views.fleet({}), fleet);
        assert.deepEqual(await views.fleet({ project, environment }), fleet);
        assert.deepEqual(await views.fleet({ project: 'blog' }), { holds: [], targets: [] });
      }),
    );

    test(
      'a target that was worked on without success is unproven until a release is placed on it again',
      withStore(async ({ journal, views }) => {
        const own = await lease(journal, made);
        const unproven = async () => (await views.fleet({})).targets.map((target) => target.unproven);
        const placed = ['web-1', 'web-2'].map((target) => ({ target, release: RELEASE }));
        await journal.commit(own, commitOf({ placed }));
        // One that never got a release has nothing that could be doubted.
        await journal.commit(own, commitOf({ unproven: ['web-2', 'web-3'] }));
        assert.deepEqual(await unproven(), [false, true]);
        await journal.commit(own, commitOf({ placed }));
        assert.deepEqual(await unproven(), [false, false]);
      }),
    );

    test(
      'how steps went is told by deployment, sequence and step, from their grant to their end',
      withStore(async ({ journal, views, advance }) => {
        const stepped = deploymentInSteps('d1');
        const own = await lease(journal, stepped);
        let expectedVersion = 1;
        const commit = async (...events: readonly Event[]) => {
          await journal.commit(own, commitOf({ expectedVersion, events }));
          expectedVersion += events.length;
        };
        const granted = (targets: readonly number[], steps: readonly number[]): Event => ({
          ...{ kind: 'tasks.granted', targets, steps },
        });
        const error = { code: 'host_unreachable', message: 'no answer' } as const;
        await commit({ kind: 'deployment.started' }, granted([0, 1, 2], [0, 0, 0]));
        advance(300);
        await commit(
          { kind: 'task.succeeded', ...attempt(0, 0), outputs: { forced: true } },
          granted([0], [1]),
          { kind: 'task.retried', ...attempt(2, 0), error, retries: 1, wakeAt: 0 },
        );
        advance(200);
        await commit(
          { kind: 'task.succeeded', ...attempt(0, 1), outputs: {} },
          { kind: 'task.succeeded', ...attempt(1, 0), outputs: { forced: false } },
          granted([1], [1]),
          { kind: 'task.failed', ...attempt(2, 0), error },
        );
        await commit({ kind: 'task.unknown', ...attempt(1, 1), seen: 'nobody knows' });
        const { project, environment } = stepped.plan;
        const none = { failed: {}, retried: {}, unknown: 0, forced: 0 };
        const of = { deployment: stepped.id, project, environment };
        assert.deepEqual(await views.steps({ deployments: 10, events: 100 }), [
          { ...of, sequence: 'rolling', step: 'drain', ...none, doneMs: [300, 500], forced: 1 },
          {
            ...{ ...of, sequence: 'plain', step: 'start', ...none, doneMs: [] },
            ...{ failed: { host_unreachable: 1 }, retried: { host_unreachable: 1 } },
          },
          { ...of, sequence: 'rolling', step: 'start', ...none, doneMs: [200], unknown: 1 },
        ]);
        const [few] = await views.steps({ deployments: 10, events: 4 });
        assert.deepEqual(few?.doneMs, [300]);
      }),
    );

    test(
      'of a step that waited for capacity nobody can say how long it takes',
      withStore(async ({ journal, views, advance }) => {
        const stepped = deploymentInSteps('d1');
        const own = await lease(journal, stepped);
        const refused: Event = {
          ...{ kind: 'capacity.refused', target: 0, pool: 'shop', inService: 1, floor: 2 },
          ...{ since: 0, wakeAt: 0 },
        };
        const events: readonly Event[] = [{ kind: 'tasks.granted', targets: [0, 1], steps: [0, 0] }, refused];
        await journal.commit(own, commitOf({ events }));
        advance(10);
        const done = [0, 1].map(
          (target): Event => ({ kind: 'task.succeeded', ...attempt(target, 0), outputs: {} }),
        );
        await journal.commit(own, commitOf({ expectedVersion: 3, events: done }));
        const [drain] = await views.steps({ deployments: 1, events: 100 });
        assert.deepEqual(drain?.doneMs, [10]);
      }),
    );

    test(
      'a step that people ended tells nothing; one that its deadline ended does',
      withStore(async ({ journal, views }) => {
        const own = await lease(journal, deploymentInSteps('d1'));
        const error = { code: 'task_cancelled', message: 'it was ended' } as const;
        const events: readonly Event[] = [
          { kind: 'tasks.granted', targets: [0, 1], steps: [0, 0] },
          { kind: 'task.cancelling', target: 0, step: 0, why: 'deadline' },
          { kind: 'task.cancelling', target: 1, step: 0, why: 'abort' },
          { kind: 'task.failed', ...attempt(0, 0), error },
          { kind: 'task.failed', ...attempt(1, 0), error },
        ];
        await journal.commit(own, commitOf({ events }));
        const [drain] = await views.steps({ deployments: 1, events: 100 });
        assert.deepEqual(drain?.failed, { task_cancelled: 1 });
      }),
    );

    test(
      'steps are told of the newest deployments of a place, or of all',
      withStore(async ({ journal, views, advance }) => {
        const granted = { kind: 'tasks.granted', targets: [0], steps: [0] } as const;
        for (const [id, project] of [
          ['d1', 'shop'],
          ['d2', 'blog'],
          ['d3', 'wiki'],
        ] as const) {
          advance(1);
          const own = await lease(journal, deploymentInSteps(id, project));
          const succeeded = { kind: 'task.succeeded', ...attempt(0, 0), outputs: {} } as const;
          await journal.commit(own, commitOf({ events: [granted, succeeded] }));
        }
        advance(1);
        await journal.create(deploymentInSteps('d4', 'idle'));
        const told = async (query: object) =>
          (await views.steps({ deployments: 10, events: 10, ...query })).map((row) => row.deployment);
        assert.deepEqual(await told({}), ['d3', 'd2', 'd1']);
        assert.deepEqual(await told({ deployments: 2 }), ['d3', 'd2']);
        assert.deepEqual(await told({ project: 'shop', environment: 'production' }), ['d1']);
        assert.deepEqual(await told({ environment: 'staging' }), []);
      }),
    );

    test(
      'a view sees every commit that was acknowledged before it was asked for',
      withStore(async ({ journal, views }) => {
        const own = await lease(journal, made);
        for (let version = 1; version <= 20; version++) {
          await journal.commit(
            own,
            commitOf({ expectedVersion: version, events: [{ kind: 'stage.opened', stage: version }] }),
          );
          assert.equal((await views.deployments({ ...ALL, id }))[0]?.streamVersion, version + 1);
        }
      }),
    );
  });
}
