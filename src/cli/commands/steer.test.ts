import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli, stuckAt } from '../../../test/support/edge-cli.ts';
import { until } from '../../../test/support/until.ts';
import { workerId } from '../../domain/ids.ts';

/** A deployment of 2.0.0 whose second target does not start: it is paused. */
async function stuck(edge: EdgeApi): Promise<string> {
  await edge.configure(4);
  const id = await edge.deploy('2.0.0');
  await edge.work(stuckAt('web-2'));
  return id;
}

const rowOf = async (edge: EdgeApi, id: string) =>
  (await edge.admin.deployments({})).deployments.find((row) => row.id === id);

/** The targets that are being prepared have been: those whose turn it is are started. */
async function fetched({ store, drive }: EdgeApi): Promise<void> {
  const worker = workerId('w/1');
  const claim = { worker, pool: 'default', max: 9, leaseMs: 60_000, gone: [] };
  const claimed = await store.tasks.claim({ ...claim, capabilities: ['release.fetch@1'] });
  const outcome = { kind: 'done', outputs: {} } as const;
  await store.tasks.report(
    worker,
    claimed.map((task) => ({ ...task, startedAt: 0, outcome })),
  );
  await drive();
}

describe('edge pause, resume and abort', () => {
  test(
    'pause waits until what was started is done',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const id = await edge.deploy('2.0.0');
      await edge.drive();
      await fetched(edge);
      const run = edgeCli(edge).begin('pause', id, '--reason', 'lunch');
      await until('the pause is taken', async () => {
        await edge.drive();
        return (await rowOf(edge, id))?.status === 'paused';
      });
      const { status, stdout, stderr } = await edgeCli(edge).finish(run);
      assert.equal(status, 0);
      assert.match(stdout, /Z paused by first \(operator\): lunch; aborts by itself at /);
      assert.equal(stderr, `${id} is paused, and nothing of it is being worked on.\n`);
      const row = await rowOf(edge, id);
      assert.deepEqual([row?.status, row?.counts.active, row?.counts.succeeded], ['paused', 0, 1]);
    }),
  );

  test(
    'resume goes on to the end',
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const { status, stdout } = await edgeCli(edge).working(['resume', id]);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^${id}: succeeded in 0s, 3 of 4 targets done, 1 failed$`, 'm'));
    }),
  );

  test(
    'without a terminal, what Edge has paused is not waited for: it says what can be done, and ends with 1',
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const again = await edgeCli(edge).working(['retry', id, 'web-2'], stuckAt('web-2'));
      assert.equal(again.status, 1);
      assert.match(again.stderr, new RegExp(`^${id} is paused and waits for a decision: .*bin/start ended`));
      for (const words of [`resume ${id}`, `retry ${id} web-2`, `skip ${id} web-2`, `rollback ${id}`])
        assert.ok(again.stderr.includes(`\`edge ${words}\``), again.stderr);
      const inJson = await edgeCli(edge).working(['retry', id, 'web-2', '--json'], stuckAt('web-2'));
      assert.deepEqual([inJson.status, JSON.parse(inJson.stdout).interrupted], [1, 'held']);
    }),
  );

  test(
    'abort waits for the end, and an abort that was asked for is no failure',
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const { status, stderr } = await edgeCli(edge).working(['abort', id]);
      assert.deepEqual([status, stderr], [0, `${id} ended aborted.\n`]);
      const watched = await edgeCli(edge).run('watch', id);
      assert.equal(watched.status, 1);
      assert.match(watched.stdout, /^\d\d:\d\d:\d\dZ aborted: aborted on the command line/m);
    }),
  );

  test(
    'with --json each gives one value, and with --detach none of them waits',
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const asked = await edgeCli(edge).run('abort', id, '--detach', '--json');
      assert.deepEqual([asked.status, asked.stdout], [0, `${JSON.stringify({ deployment: id })}\n`]);
      await edge.work();
      assert.equal((await rowOf(edge, id))?.status, 'aborted');
      const late = await edgeCli(edge).run('resume', id, '--json');
      assert.equal(late.status, 6);
      assert.equal(JSON.parse(late.stdout).error.code, 'deployment_ended');
    }),
  );

  test(
    'what cannot be is refused with its reason and the exit status of the catalogue',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const id = await edge.deploy('2.0.0');
      const refused = await edgeCli(edge).run('resume', id);
      assert.equal(refused.status, 6);
      assert.match(
        refused.stderr,
        /^error verb_refused: The deployment \w+ is \w+, not paused\n {2}Run `edge status/,
      );
      for (const verb of ['pause', 'abort', 'resume', 'watch', 'logs', 'status']) {
        const unknown = await edgeCli(edge).run(verb, 'd-none');
        assert.equal(unknown.status, 3, verb);
        assert.match(unknown.stderr, /^error deployment_unknown: /, verb);
      }
    }),
  );
});

describe('edge retry, skip and return', () => {
  test(
    'a failed target is tried again, and the deployment goes on when it is resumed',
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const run = edgeCli(edge).begin('retry', id, 'web-2', '--detach');
      assert.equal(await run.status, 0);
      const { status, stdout } = await edgeCli(edge).working(['resume', id]);
      assert.equal(status, 0);
      assert.match(stdout, /4 of 4 targets done$/m);
    }),
  );

  test(
    'a target that is left out stays parked until it is returned',
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const skipped = await edgeCli(edge).run('skip', id, 'web-2', '--reason', 'disk is broken');
      assert.deepEqual([skipped.status, skipped.stdout], [0, `${id} leaves web-2 out.\n`]);
      const resumed = await edgeCli(edge).working(['resume', id]);
      assert.match(resumed.stderr, /^Bring parked targets back: `edge return web production`$/m);
      const status = await edgeCli(edge).run('status');
      assert.match(status.stdout, /parked {4}web-2: .*disk is broken/);
      const returned = await edgeCli(edge).working(['return', 'web', 'production', 'web-2']);
      assert.equal(returned.status, 0);
      assert.doesNotMatch((await edgeCli(edge).run('status')).stdout, /parked/);
      const again = await edgeCli(edge).run('return', 'web', 'production');
      assert.equal(again.status, 3);
      assert.match(again.stderr, /^error parked_unknown: /);
    }),
  );

  test(
    "a step's result is set by hand with a reason, which the record keeps",
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const bare = await edgeCli(edge).run('resolve', id, 'web-2', '--as', 'succeeded');
      assert.equal(bare.status, 2);
      assert.match(bare.stderr, /--reason/);
      const other = await edgeCli(edge).run('resolve', id, 'web-2', '--as', 'done', '-r', 'x');
      assert.equal(other.status, 2);
      assert.match(other.stderr, /succeeded, failed/);
      const set = ['resolve', id, 'web-2', '--as', 'succeeded', '--reason', 'started it by hand'];
      assert.equal((await edgeCli(edge).run(...set, '--detach')).status, 0);
      const { status, stdout } = await edgeCli(edge).working(['resume', id]);
      assert.equal(status, 0);
      assert.match(stdout, /4 of 4 targets done$/m);
      const watched = await edgeCli(edge).run('watch', id);
      assert.match(watched.stdout, /web-2 start set to succeeded by first: started it by hand$/m);
    }),
  );

  test(
    'a target that is not there is named',
    withEdgeApi(async (edge) => {
      const id = await stuck(edge);
      const { status, stderr } = await edgeCli(edge).run('retry', id, 'web-99');
      assert.equal(status, 3);
      assert.match(stderr, /^error target_unknown: .*"web-99"/);
    }),
  );
});
