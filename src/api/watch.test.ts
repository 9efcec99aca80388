import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collect } from '../../test/support/collect.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import { workerId } from '../domain/ids.ts';
import type { DeploymentView, WatchItem } from './contract.ts';
import { apiServer } from './server.ts';

const FAST = { retry: { firstMs: 1, lastMs: 10 } } as const;

/** A deployment of eight targets that has ended. */
async function ended(edge: EdgeApi) {
  await edge.configure(8);
  const deployment = await edge.deploy('1.0.0');
  await edge.work();
  const { events } = await edge.admin.deploymentEvents({ deployment });
  return { deployment, versions: events.map(({ version }) => version) };
}

const eventsOf = (items: readonly WatchItem[]) =>
  items.flatMap((item) => (item.kind === 'event' ? [item] : []));

/** A way to the server that breaks each connection after so many bytes. */
function breaking(afterBytes: () => number): typeof fetch {
  return async (address, options) => {
    const response = await fetch(address, options);
    let left = afterBytes();
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, out) {
        out.enqueue(piece.subarray(0, left));
        left -= piece.length;
        if (left <= 0) out.error(new Error('the connection broke'));
      },
    });
    return new Response(response.body?.pipeThrough(cut) ?? null, response);
  };
}

describe('watching a deployment', () => {
  test(
    'every event comes once, in order, as it happens, and then the stream ends by itself',
    withEdgeApi(async (edge) => {
      await edge.configure(8);
      const deployment = await edge.deploy('1.0.0');
      const watched = collect(edge.admin.watchDeployment({ deployment }));
      await edge.work();
      const items = eventsOf(await watched);
      const { events } = await edge.admin.deploymentEvents({ deployment });
      assert.deepEqual(
        items.map(({ event }) => event),
        events.map(({ event }) => event),
      );
      assert.deepEqual(
        items.map(({ version }) => version),
        events.map((_, index) => index + 1),
      );
    }),
  );

  test(
    'connections that break anywhere leave no gap and give nothing twice',
    withEdgeApi(async (edge) => {
      const { deployment, versions } = await ended(edge);
      for (const bytes of [9_001, 40_007]) {
        let breaks = 0;
        const client = edge.client(edge.adminToken, { fetch: breaking(() => bytes + breaks * 500) });
        const onBreak = () => {
          breaks += 1;
        };
        const items = await collect(client.watchDeployment({ deployment }, { ...FAST, onBreak }));
        assert.deepEqual(
          eventsOf(items).map(({ version }) => version),
          versions,
        );
        assert.ok(breaks > 0, 'it did break');
      }
    }),
  );

  test(
    'it goes on after a given version, and after the last one there is nothing more',
    withEdgeApi(async (edge) => {
      const { deployment, versions } = await ended(edge);
      const after = versions.length - 5;
      const last = await collect(edge.admin.watchDeployment({ deployment, after }));
      assert.deepEqual(
        eventsOf(last).map(({ version }) => version),
        versions.slice(after),
      );
      assert.deepEqual(await collect(edge.admin.watchDeployment({ deployment, after: versions.length })), []);
    }),
  );

  test(
    'replacing what changed gives the view that the server has',
    withEdgeApi(async (edge) => {
      const { deployment } = await ended(edge);
      const { view } = await edge.admin.deployment({ deployment });
      const targets = new Map<number, DeploymentView['targets'][number]>();
      let overall: DeploymentView['overall'] | undefined;
      for (const item of eventsOf(await collect(edge.admin.watchDeployment({ deployment })))) {
        for (const target of item.targets) targets.set(target.index, target);
        overall = item.overall;
      }
      assert.deepEqual(
        [overall, [...targets.values()].sort((a, b) => a.index - b.index)],
        [view.overall, view.targets],
      );
    }),
  );

  test(
    'what a waiting task says of itself comes between the events',
    withEdgeApi(async (edge) => {
      await edge.configure(1);
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      const worker = workerId('w/1');
      const [task] = await edge.store.tasks.claim({
        ...{ worker, pool: 'default', max: 1, leaseMs: 60_000, gone: [] },
        capabilities: ['capacity.guard@1', 'release.fetch@1'],
      });
      assert.ok(task);
      const outcome = {
        kind: 'wait',
        checkpoint: null,
        wakeAfterMs: 60_000,
        progress: '3 connections',
      } as const;
      await edge.store.tasks.report(worker, [{ ...task, startedAt: 0, outcome }]);
      for await (const item of edge.admin.watchDeployment({ deployment })) {
        if (item.kind === 'event') continue;
        assert.equal(item.targets[0]?.progress, '3 connections');
        break;
      }
      const { view, waits } = await edge.admin.deployment({ deployment });
      assert.equal(view.targets[0]?.progress, '3 connections');
      assert.equal(waits[0]?.why, '3 connections');
    }),
  );

  test(
    'a server that stops and comes back is no gap either',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const deployment = await edge.deploy('1.0.0');
      await edge.drive();
      const port = Number(new URL(edge.url).port);
      const first = Promise.withResolvers<void>();
      const watched = (async () => {
        const versions: number[] = [];
        for await (const item of edge.admin.watchDeployment({ deployment }, FAST)) {
          if (item.kind === 'event') versions.push(item.version);
          first.resolve();
        }
        return versions;
      })();
      await first.promise;
      await edge.server.close();
      await edge.work();
      const second = apiServer({
        ports: edge.ports,
        version: '0',
        onFault: (fault) => edge.faults.push(fault),
      });
      await second.listen({ host: '127.0.0.1', port });
      const versions = await watched;
      assert.deepEqual(
        versions,
        versions.map((_, index) => index + 1),
      );
      assert.ok(versions.length > 10);
      await second.close();
    }),
  );

  test(
    'what waiting does not mend is thrown at once, and a server that stays away after a while',
    withEdgeApi(async (edge) => {
      const deployment = edge.ports.ids.deployment();
      await assert.rejects(collect(edge.admin.watchDeployment({ deployment })), {
        code: 'deployment_unknown',
      });
      const nobody = edge.client('edge_nobody');
      await assert.rejects(collect(nobody.watchDeployment({ deployment })), { code: 'token_invalid' });
      const away = edge.client(edge.adminToken, { server: 'http://127.0.0.1:9' });
      const options = { ...FAST, giveUpAfterMs: 30 };
      await assert.rejects(collect(away.watchDeployment({ deployment }, options)), {
        code: 'server_unreachable',
      });
    }),
  );

  test(
    'an id of another stream is refused',
    withEdgeApi(async (edge) => {
      const { deployment } = await ended(edge);
      const headers = { authorization: `Bearer ${edge.adminToken}`, 'last-event-id': 'other:3' };
      const answer = await fetch(`${edge.url}/v1/deployments/${deployment}/stream`, { headers });
      assert.equal(answer.status, 400);
    }),
  );

  test(
    'the caller can stop it',
    withEdgeApi(async (edge) => {
      await edge.configure(1);
      const deployment = await edge.deploy('1.0.0');
      const stop = new AbortController();
      const watched = collect(edge.admin.watchDeployment({ deployment }, { signal: stop.signal }));
      stop.abort(new Error('enough'));
      await assert.rejects(watched, /enough/);
    }),
  );
});
