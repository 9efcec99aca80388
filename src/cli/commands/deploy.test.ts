import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli, stuckAt, unhealthy } from '../../../test/support/edge-cli.ts';
import { until } from '../../../test/support/until.ts';

const DEPLOY = ['deploy', 'web', 'production', '2.0.0'];

const newest = async ({ admin }: EdgeApi) => (await admin.deployments({ limit: 1 })).deployments[0];

describe('edge deploy', () => {
  test(
    'without a terminal it is one line for each event, and 0 when it succeeded',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const { status, stdout, stderr } = await edgeCli(edge).working([...DEPLOY, '--reason', 'spring sale']);
      assert.deepEqual([status, stderr], [0, '']);
      const lines = stdout.trimEnd().split('\n');
      const id = (await newest(edge))?.id;
      assert.equal(lines[0], `${id}: deploy 2.0.0, web → production`);
      assert.match(lines[1] ?? '', /^\d\d:\d\d:\d\dZ created by first: spring sale$/);
      assert.equal(lines.filter((line) => /Z web-\d succeeded$/.test(line)).length, 4);
      assert.equal(lines.at(-1), `${id}: succeeded in 0s, 4 of 4 targets done`);
    }),
  );

  test(
    'a failed one is followed through its rollback, and ends with 1 and advice',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      await edgeCli(edge).working([...DEPLOY, '--yes']);
      const { status, stdout, stderr } = await edgeCli(edge).working(
        ['deploy', 'web', 'production', '1.0.0'],
        unhealthy(),
      );
      assert.equal(status, 1);
      const { id: rollback, causedBy: first } = (await newest(edge)) ?? {};
      assert.match(stdout, new RegExp(`^${first}: failed in 0s, 0 of 4 targets done, 1 failed$`, 'm'));
      assert.match(stdout, new RegExp(`^${rollback}: rollback 2.0.0, web → production$`, 'm'));
      assert.match(stdout, new RegExp(`^${rollback}: succeeded`, 'm'));
      assert.equal(stderr, `See what happened: \`edge logs ${first} --target web-1\`\n`);
    }),
  );

  test(
    'with --json it is silent until its end, which is one value',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const good = await edgeCli(edge).working([...DEPLOY, '--json']);
      assert.deepEqual([good.status, good.stderr], [0, '']);
      assert.equal(good.stdout.split('\n').length, 2);
      const { deployment, targets } = JSON.parse(good.stdout);
      assert.deepEqual([deployment.status, deployment.version, targets], ['succeeded', '2.0.0', []]);
      const bad = await edgeCli(edge).working(
        ['deploy', 'web', 'production', '1.0.0', '--json'],
        unhealthy(),
      );
      assert.equal(bad.status, 1);
      const end = JSON.parse(bad.stdout);
      assert.equal(end.deployment.status, 'failed');
      assert.equal(end.rollback.causedBy, end.deployment.id);
      assert.ok(end.targets.some(({ status }: { status: string }) => status === 'failed'));
    }),
  );

  test(
    'on a terminal the plan is shown and asked for; only yes starts it, and it is the plan that was read',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const terminal = { answers: true };
      for (const answers of ['n\n', '\n', '']) {
        const no = await edgeCli(edge, { terminal, answers }).run(...DEPLOY);
        assert.equal(no.status, 130);
        assert.match(no.stdout, /hash [0-9a-f]{64}/);
        assert.match(no.stderr, /Start this\? \[y\/N\] Nothing was started\./);
      }
      assert.equal(await newest(edge), undefined);
      const yes = await edgeCli(edge).working(DEPLOY, undefined, { terminal, answers: 'y\n' });
      assert.equal(yes.status, 0);
      const [, hash] = /hash ([0-9a-f]{64})/.exec(yes.stdout) ?? [];
      assert.equal((await newest(edge))?.planHash, hash);
    }),
  );

  test(
    'Ctrl-C is no answer but no',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const run = edgeCli(edge, { terminal: { answers: true }, answers: null }).begin(...DEPLOY);
      await until('it asks', () => run.stderr().includes('[y/N]'));
      run.interrupt();
      assert.equal(await run.status, 130);
      assert.equal(await newest(edge), undefined);
    }),
  );

  test(
    'on a terminal the screen is drawn in place, and its last frame stays',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const terminal = { redraws: true, colours: true };
      const { status, stdout } = await edgeCli(edge).working([...DEPLOY, '--yes'], undefined, { terminal });
      assert.equal(status, 0);
      const frames = stdout.split('\u001b[J');
      assert.ok(frames.length > 1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences are what is taken away
      const last = (frames.at(-2) ?? '').replaceAll(/\u001b\[[0-9;]*[mKA]/g, '');
      assert.match(last, /web → production {3}deploy 2\.0\.0 {3}✓ succeeded/);
      for (const name of ['web-1', 'web-2', 'web-3', 'web-4'])
        assert.match(last, new RegExp(`✓ ${name} +done`));
      assert.ok(stdout.includes('\u001b[32m'));
      const plain = await edgeCli(edge).working([...DEPLOY, '--force', '--yes', '--no-color'], undefined, {
        terminal,
      });
      assert.ok(!plain.stdout.includes('\u001b[32m'));
    }),
  );

  test(
    'on a terminal the rollback is drawn below the deployment that failed, whose reason stays',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      assert.equal((await edgeCli(edge).working(['deploy', 'web', 'production', '1.0.0'])).status, 0);
      const more = { terminal: { redraws: true } };
      const { stdout } = await edgeCli(edge).working([...DEPLOY, '--yes'], unhealthy(), more);
      const frames = stdout.split('\u001b[J');
      const first = frames.findIndex((frame) => frame.includes('rollback 1.0.0'));
      assert.match(frames[first - 1] ?? '', /^failed: .*HTTP 500.*\n.*rolled back by /m);
      assert.equal(frames[first]?.trimStart().startsWith('\u001b['), false, 'it does not move up');
    }),
  );

  test(
    'with --detach it ends when it is under way, and says so where no server stays',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const { status, stdout, stderr } = await edgeCli(edge).run(...DEPLOY, '--detach');
      const id = (await newest(edge))?.id;
      assert.equal(status, 0);
      assert.equal(stdout, `${id} is under way. Follow it with \`edge watch ${id}\`.\n`);
      assert.equal(stderr, '');
      await edge.work();
      const connect = async () => ({
        url: edge.url,
        token: edge.adminToken,
        embedded: true,
        close: async () => {},
      });
      const embedded = await edgeCli(edge, { settings: {}, connect }).run(...DEPLOY, '--detach', '--force');
      assert.match(embedded.stderr, /No server runs here: it goes on when one does/);
    }),
  );

  test(
    'a second one is refused with the name of the first, or waits for it',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      await edgeCli(edge).run(...DEPLOY, '--detach');
      const holder = (await newest(edge))?.id;
      const refused = await edgeCli(edge).run('restart', 'web', 'production');
      assert.equal(refused.status, 6);
      assert.match(refused.stderr, new RegExp(`^error environment_locked: .*${holder}`));
      const waiting = edgeCli(edge).begin('restart', 'web', 'production', '--wait');
      await until('it waits', () => waiting.stderr() !== '');
      assert.equal(waiting.stderr(), `Waiting for ${holder}: deploy 2.0.0 by first.\n`);
      assert.equal((await edgeCli(edge).finish(waiting)).status, 0);
      assert.equal((await newest(edge))?.verb, 'restart');
    }),
  );

  test(
    'Ctrl-C pauses it once what was started is done, and says how to go on',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const run = edgeCli(edge).begin(...DEPLOY);
      await until('it is followed', () => run.stdout() !== '');
      run.interrupt();
      await until('the first target is at work and the pause is taken', async () => {
        await edge.drive();
        return (await newest(edge))?.status === 'paused';
      });
      const { status, stderr } = await edgeCli(edge).finish(run);
      const row = await newest(edge);
      assert.equal(status, 130);
      assert.match(
        stderr,
        /^Pausing: what has been started goes on to its end; press Ctrl-C again to leave at once\.$/m,
      );
      assert.match(
        stderr,
        new RegExp(`^Go on with \`edge resume ${row?.id}\`, or end it with \`edge abort ${row?.id}\`.$`, 'm'),
      );
      assert.deepEqual([row?.status, row?.counts.active], ['paused', 0]);
      const resumed = await edgeCli(edge).working(['resume', String(row?.id)]);
      assert.equal(resumed.status, 0);
    }),
  );

  test(
    'a second Ctrl-C leaves at once; with a server of its own it says that commands go on',
    withEdgeApi(async (edge) => {
      await edge.configure(4);
      const closed: string[] = [];
      const close = async () => void closed.push('closed');
      const connect = async () => ({ url: edge.url, token: edge.adminToken, embedded: true, close });
      const run = edgeCli(edge, { settings: {}, connect }).begin(...DEPLOY);
      await until('it is followed', () => run.stdout() !== '');
      run.interrupt();
      run.interrupt();
      assert.equal(await run.status, 130);
      assert.match(
        run.stderr(),
        /^Left \w+\. Commands that run on the hosts go on; the next `edge` picks them up\.$/m,
      );
      assert.deepEqual(closed, ['closed']);
    }),
  );
});

describe('edge rollback and restart', () => {
  test(
    'an environment goes back to a version, or to the last one that succeeded',
    withEdgeApi(async (edge) => {
      await edge.configure(2, ['1.0.0', '2.0.0']);
      for (const version of ['1.0.0', '2.0.0'])
        assert.equal((await edgeCli(edge).working(['deploy', 'web', 'production', version])).status, 0);
      assert.equal((await edgeCli(edge).working(['rollback', 'web', 'production'])).status, 0);
      assert.deepEqual([(await newest(edge))?.verb, (await newest(edge))?.version], ['rollback', '1.0.0']);
      assert.equal(
        (await edgeCli(edge).working(['rollback', 'web', 'production', '--to', '2.0.0'])).status,
        0,
      );
      assert.equal((await newest(edge))?.version, '2.0.0');
    }),
  );

  test(
    'a running deployment is rolled back, and 0 means that the rollback succeeded',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      await edgeCli(edge).working(['deploy', 'web', 'production', '1.0.0']);
      await edgeCli(edge).run(...DEPLOY, '--detach');
      const id = String((await newest(edge))?.id);
      await edge.work(stuckAt('web-2'));
      assert.equal((await newest(edge))?.status, 'paused');
      const { status, stdout } = await edgeCli(edge).working(['rollback', id, '--reason', 'looks odd']);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^${id}: failed`, 'm'));
      assert.deepEqual([(await newest(edge))?.verb, (await newest(edge))?.causedBy], ['rollback', id]);
    }),
  );

  test(
    'a restart leaves the release as it is',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      await edgeCli(edge).working(['deploy', 'web', 'production', '1.0.0']);
      const { status, stdout } = await edgeCli(edge).working([
        'restart',
        'web',
        'production',
        '--targets',
        'web-1',
      ]);
      assert.equal(status, 0);
      assert.match(stdout, /1 of 1 target done$/m);
      assert.doesNotMatch(stdout, /install/);
    }),
  );
});
