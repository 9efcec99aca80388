import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { collect } from '../../test/support/collect.ts';
import { withEdgeApi } from '../../test/support/edge-api.ts';
import { workerId } from '../domain/ids.ts';
import { sendStream } from './sse-reply.ts';

describe('streams', () => {
  test(
    'end within moments when their token is revoked',
    withEdgeApi(
      async (edge) => {
        const { secret, token } = await edge.admin.createToken({ name: 'ops', role: 'view' });
        const items = edge.client(secret).overview()[Symbol.asyncIterator]();
        assert.equal((await items.next()).value?.kind, 'snapshot');
        await edge.admin.revokeToken({ token: token.id });
        await assert.rejects(items.next(), { code: 'token_invalid' });
      },
      { streamTimes: { recheckMs: 10 } },
    ),
  );

  test(
    'show that they live while nothing happens',
    withEdgeApi(
      async (edge) => {
        const headers = { authorization: `Bearer ${edge.adminToken}` };
        const { body } = await fetch(`${edge.url}/v1/stream`, { headers });
        let text = '';
        for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
          text += piece;
          if (text.includes(': still here')) break;
        }
        assert.match(text, /: still here/);
      },
      { streamTimes: { heartbeatMs: 10 } },
    ),
  );

  test(
    'the overview is a snapshot and then what changed',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      const items = edge.admin.overview()[Symbol.asyncIterator]();
      assert.deepEqual((await items.next()).value, { kind: 'snapshot', deployments: [] });
      const deployment = await edge.deploy('1.0.0');
      const { value } = await items.next();
      assert.ok(value?.kind === 'changed' && value.deployment.id === deployment);
      await items.return?.();
    }),
  );

  test(
    'logs come whole and in order, by target, and end after the deployment',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      const deployment = await edge.deploy('1.0.0');
      const followed = collect(edge.admin.followLogs({ deployment, target: 'web-1' }));
      await edge.drive();
      const worker = workerId('w/1');
      const claim = { worker, pool: 'default', max: 9, leaseMs: 60_000, gone: [] };
      const claimed = await edge.store.tasks.claim({
        ...claim,
        capabilities: ['release.fetch@1', 'capacity.guard@1'],
      });
      for (const { task, epoch, target } of claimed)
        for (const seq of [0, 1, 2])
          await edge.store.tasks.appendOutput(worker, [{ task, epoch, seq, text: `${target} ${seq}\n` }]);
      await edge.admin.abort({ deployment, reason: 'enough' });
      const error = { code: 'task_cancelled', message: 'ended', cause: 'cancelled' } as const;
      await edge.drive();
      const outcome = { kind: 'failed', error, retryable: false } as const;
      await edge.store.tasks.report(
        worker,
        claimed.map((task) => ({ ...task, startedAt: 0, outcome })),
      );
      await edge.work();
      const rows = await followed;
      assert.deepEqual(
        rows.map(({ text }) => text),
        ['web-1 0\n', 'web-1 1\n', 'web-1 2\n'],
      );
      const { rows: read } = await edge.admin.logs({ deployment, target: 'web-1', after: rows[0]?.id ?? 0 });
      assert.deepEqual(read, rows.slice(1));
    }),
  );

  test('a reader that takes nothing is dropped, and little was kept for it', async () => {
    let asked = 0;
    const finished = Promise.withResolvers<void>();
    const answer = async (_: IncomingMessage, raw: Parameters<typeof sendStream>[0]) => {
      await sendStream(raw, {
        items: (async function* () {
          for (; asked < 10_000; asked += 1) yield asked;
        })(),
        frame: () => ({ id: null, data: 'x'.repeat(64_000) }),
        recheck: async () => {},
        errorBody: () => assert.fail('nothing fails'),
        gone: new AbortController().signal,
        ended: new AbortController(),
        times: { heartbeatMs: 60_000, recheckMs: 60_000, slowMs: 50 },
      });
      finished.resolve();
    };
    const server = createServer((request, raw) => void answer(request, raw));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address);
    const reader = connect(address.port, '127.0.0.1').pause();
    reader.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await finished.promise;
    assert.ok(asked < 1_000, `${asked} items of 64 kB were asked for`);
    reader.destroy();
    server.close();
  });
});
