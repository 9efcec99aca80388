import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { environment } from '../../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli } from '../../../test/support/edge-cli.ts';

const DEPLOY = ['deploy', 'web', 'production', '1.0.0'];

/** Two people have to approve what the administrator asks for. */
async function guarded(edge: EdgeApi): Promise<void> {
  await edge.configure(2);
  const text = JSON.stringify(environment({ policy: { approvals: { count: 2 } } }));
  await edge.admin.applyConfiguration({ files: [{ path: 'a.yaml', text }] });
}

async function waiting(edge: EdgeApi): Promise<string> {
  await guarded(edge);
  const { deployment } = await edge.admin.deploy({
    ...{ project: 'web', environment: 'production', version: '1.0.0', reason: 'release' },
  });
  await edge.work();
  return deployment;
}

/** Command lines of another person. */
async function as(edge: EdgeApi, name: string, answers?: string) {
  const token = await edge.token('approve', { name });
  const people = answers === undefined ? {} : { terminal: { answers: true }, answers };
  return edgeCli(edge, { settings: { server: edge.url, token }, ...people });
}

describe('edge approve', () => {
  test(
    'says what is still missing, and the last one starts it',
    withEdgeApi(async (edge) => {
      const id = await waiting(edge);
      const bob = await (await as(edge, 'bob')).working(['approve', id, '--reason', 'reviewed']);
      assert.equal(bob.status, 0);
      assert.match(
        bob.stdout,
        new RegExp(`^${id} is approved by bob, and waits for 1 more approval\\.$`, 'm'),
      );
      const { hash } = await edge.admin.deploymentPlan({ deployment: id as never });
      const eve = await (await as(edge, 'eve')).working(['approve', id, '--plan-hash', hash.slice(0, 12)]);
      assert.equal(eve.status, 0);
      assert.match(eve.stdout, new RegExp(`^${id} is approved by bob, eve, and `, 'm'));
      const log = (await edgeCli(edge).run('watch', id)).stdout;
      assert.match(
        log,
        /Z approved by bob: reviewed\n.*Z approved by eve: approved on the command line\n.*Z started$/m,
      );
      const status = await edgeCli(edge).run('status', id);
      assert.match(status.stdout, /by first · approved by bob, eve/);
    }),
  );

  test(
    'is refused for another plan than the one that waits, and for what is no hash',
    withEdgeApi(async (edge) => {
      const id = await waiting(edge);
      const bob = await as(edge, 'bob');
      const other = await bob.run('approve', id, '--plan-hash', 'abcdef123456');
      assert.equal(other.status, 5);
      assert.match(other.stderr, /^error plan_changed: .* and not abcdef123456$/m);
      const odd = await bob.run('approve', id, '--plan-hash', 'abc');
      assert.deepEqual([odd.status, /^error usage_invalid/.test(odd.stderr)], [2, true]);
      assert.equal((await edgeCli(edge).run('approve', id)).status, 4);
    }),
  );

  test(
    'shows the plan and asks where a person is there, and approves nothing without a yes',
    withEdgeApi(async (edge) => {
      const id = await waiting(edge);
      const no = await (await as(edge, 'bob', 'n\n')).run('approve', id);
      assert.equal(no.status, 130);
      assert.match(no.stdout, /^starts once 2 people other than who asks for it have approved this plan/m);
      assert.match(no.stderr, /Approve this\? \[y\/N\] Nothing was approved\./);
      const yes = await (await as(edge, 'eve', 'y\n')).working(['approve', id]);
      assert.equal(yes.status, 0);
      const { view } = await edge.admin.deployment({ deployment: id as never });
      assert.deepEqual(
        view.overall.approvals?.given.map(({ by }) => by),
        ['eve'],
      );
    }),
  );
});

describe('edge promote', () => {
  test(
    'needs a reason, starts the deployment, and both stand in the record',
    withEdgeApi(async (edge) => {
      const id = await waiting(edge);
      assert.equal((await edgeCli(edge).run('promote', id)).status, 2);
      const { status } = await edgeCli(edge).working(['promote', id, '-r', 'the shop is down']);
      assert.equal(status, 0);
      assert.match(
        (await edgeCli(edge).run('watch', id)).stdout,
        /Z promoted by first, without the approvals that are missing: the shop is down\n.*Z started$/m,
      );
      const shown = await edgeCli(edge).run('status', id);
      assert.match(shown.stdout, /by first · promoted by first: the shop is down/);
    }),
  );
});

describe('a deployment that waits for approvals', () => {
  test(
    'is not said to be under way where nobody follows it',
    withEdgeApi(async (edge) => {
      await guarded(edge);
      const { status, stdout } = await edgeCli(edge).run(...DEPLOY, '--detach');
      assert.deepEqual(
        [status, stdout.replace(/d\d+/g, 'D')],
        [0, 'D waits for approvals. Follow it with `edge watch D`.\n'],
      );
    }),
  );

  test(
    'is not waited for without a terminal: its command says what can be done, and ends with 1',
    withEdgeApi(async (edge) => {
      await guarded(edge);
      const { status, stdout, stderr } = await edgeCli(edge).working(DEPLOY);
      assert.equal(status, 1);
      assert.match(stdout, /Z waits for 2 approvals; aborts by itself at /);
      assert.match(stderr, /^\S+ waits for 2 approvals$/m);
      assert.match(stderr, /^ {2}approve it, as another person than who asked for it: `edge approve \S+`$/m);
      const [place] = (await edgeCli(edge).run('status')).stdout
        .split('\n')
        .filter((text) => /active/.test(text));
      assert.match(place ?? '', /pending, 0 of 2, .*, by first: waits for 2 approvals$/);
      assert.match((await edgeCli(edge).run('history')).stdout, /pending, waits for 2 approvals/);
      const [row] = (await edge.admin.deployments()).deployments;
      const shown = await edgeCli(edge).run('status', row?.id ?? '');
      assert.match(shown.stdout, /^waits for 2 approvals$/m);
      assert.match(shown.stdout, /^ {2}else it aborts by itself in 24h 00m$/m);
    }),
  );
});
