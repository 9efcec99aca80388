import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OpenStore } from '../../../test/contracts/store.ts';
import { taskBoardContract } from '../../../test/contracts/task-board.ts';
import { keepOutContract } from '../../../test/contracts/task-board-keep-out.ts';
import { CAPABILITIES } from '../../../test/support/capabilities.ts';
import { type EdgeApi, openEdgeApi, withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeClient } from '../../api/client.ts';
import { workerId } from '../../domain/ids.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import type { TaskBoard } from '../../ports/task-board.ts';
import { httpTaskBoard } from './task-board.ts';

/** As a worker of this pool has it, with a token of its own. */
const boardOf = async (edge: EdgeApi, pool: string) =>
  httpTaskBoard(edge.client(await edge.token('worker', { pool })));

/** The store in memory behind a server; the worker's side sees HTTP only. */
const open: OpenStore = async () => {
  const edge = await openEdgeApi('/nowhere');
  const [first, second] = await Promise.all([boardOf(edge, 'dc-1'), boardOf(edge, 'dc-2')]);
  const ofPool = (pool: string) => (pool === 'dc-2' ? second : first);
  const tasks: TaskBoard = {
    ...first,
    claim: (claim) => ofPool(claim.pool).claim(claim),
    keepOut: (request) => ofPool(request.pool).keepOut(request),
    waitForWork: (pool, timeoutMs, signal) => ofPool(pool).waitForWork(pool, timeoutMs, signal),
  };
  const store = { ...edge.store, tasks };
  return {
    ...store,
    now: () => edge.time.now,
    advance: (ms) => {
      edge.time.now += ms;
    },
    second: async () => store,
    driverWoken: () => edge.ports.bell.wait(DRIVER_TOPIC, 60_000, AbortSignal.timeout(60_000)),
    dispose: async () => {
      await edge.server.close();
      await edge.store.close();
    },
  };
};

taskBoardContract('over HTTP', open);
keepOutContract('over HTTP', open);

describe('the task board over HTTP', () => {
  test('a server that does not answer is server_unreachable, so that the worker tries again', async () => {
    const board = httpTaskBoard(edgeClient({ server: 'http://127.0.0.1:9', token: 'edge_x' }));
    const wait = board.waitForWork('dc-1', 1_000, new AbortController().signal);
    await assert.rejects(wait, { code: 'server_unreachable' });
  });

  const isTold = withEdgeApi(async (edge) => {
    const board = await boardOf(edge, 'default');
    await edge.configure(1);
    const deployment = await edge.deploy('1.0.0');
    await edge.drive();
    const worker = workerId('w/1');
    const claim = { worker, pool: 'default', max: 1, leaseMs: 60_000, gone: [], capabilities: CAPABILITIES };
    const [claimed] = await board.claim(claim);
    assert.ok(claimed);
    const evidence = { verdict: 'fail', steps: 3, metrics: [{ name: 'errors', p: 1e-9, effect: null }] };
    const error = { code: 'canary_failed', message: 'worse', cause: 'canary', evidence } as const;
    const outcome = { kind: 'failed', error, retryable: false } as const;
    await board.report(worker, [{ ...claimed, startedAt: 0, outcome }]);
    await edge.drive();
    const { events } = await edge.admin.deploymentEvents({ deployment });
    const told = events.flatMap(({ event }) => (event.kind === 'task.failed' ? [event.error] : []));
    assert.deepEqual(told, [error]);
  });
  test('what a failure was based on reaches whoever reads the events of the deployment', isTold);

  test('a wait that is given up resolves, as a ring would', async () => {
    const edge = await openEdgeApi('/nowhere');
    const board = await boardOf(edge, 'dc-1');
    const stop = new AbortController();
    const wait = board.waitForWork('dc-1', 30_000, stop.signal);
    stop.abort();
    await wait;
    await edge.server.close();
    await edge.store.close();
  });
});
