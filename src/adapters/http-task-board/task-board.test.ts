import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OpenStore } from '../../../test/contracts/store.ts';
import { taskBoardContract } from '../../../test/contracts/task-board.ts';
import { keepOutContract } from '../../../test/contracts/task-board-keep-out.ts';
import { type EdgeApi, openEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeClient } from '../../api/client.ts';
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
