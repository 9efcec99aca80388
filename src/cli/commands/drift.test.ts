import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type EdgeApi, withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli } from '../../../test/support/edge-cli.ts';
import type { Look } from '../../domain/drift.ts';

const SAME: Look = { differs: [], moreDiffers: 0, unknown: [], added: [], moreAdded: 0 };
type Seen = Partial<Look> | 'no answer';

async function placed(edge: EdgeApi): Promise<void> {
  await edge.configure(4, ['2.0.0']);
  await edge.deploy('2.0.0');
  await edge.work();
  edge.time.now += 1_000;
}

/** `edge drift` while the hosts show this; the others are as they were. */
async function looked(edge: EdgeApi, seen: Readonly<Record<string, Seen>>, ...options: readonly string[]) {
  const { deployment } = await edge.admin.drift({
    project: 'web',
    environment: 'production',
    reason: 'test',
  });
  await edge.work(({ target }) => {
    const look = seen[target] ?? {};
    if (look !== 'no answer') return { kind: 'done', outputs: { ...SAME, ...look } };
    const error = { code: 'host_unreachable', message: 'no answer', cause: 'unreachable' } as const;
    return { kind: 'failed', error, retryable: false };
  });
  const end = await edgeCli(edge).run('drift', 'web', 'production', '--last', ...options);
  return { ...end, stdout: end.stdout.replaceAll(deployment, '<id>') };
}

describe('edge drift', () => {
  test(
    'what has drifted comes first, equal findings together, with all that differs',
    withEdgeApi(async (edge) => {
      await placed(edge);
      const changed = { what: 'property-file', path: 'conf/app.conf', how: 'changed', secret: true } as const;
      const mode = { what: 'file', path: 'bin/start', how: 'mode', found: '0600', wanted: '0755' } as const;
      const drifted: Partial<Look> = { differs: [changed, mode], moreDiffers: 2, added: ['app.pid'] };
      const { status, stdout } = await looked(edge, {
        ...{ 'web-1': drifted, 'web-2': drifted, 'web-3': 'no answer' },
      });
      assert.equal(status, 1);
      assert.equal(
        stdout,
        `2 of 4 targets have drifted, 1 could not be looked at in full (<id>, 2027-01-15 08:00Z by first).
web-[1-2] (2): drifted
  conf/app.conf was changed, or a secret in it was
  bin/start has the mode 0600, not 0755
  and 2 more
  2 files beside those of Edge; --added tells them
web-3: could not be looked at in full
  unknown: no answer
web-4: as Edge put it there
`,
      );
    }),
  );

  test(
    'it ends with 0 without drift, with 7 where something is unknown, and with 1 for added files only if they are asked for',
    withEdgeApi(async (edge) => {
      await placed(edge);
      const added = { 'web-4': { added: ['app.pid'] } };
      const plain = await looked(edge, added);
      assert.equal(plain.status, 0);
      assert.match(plain.stdout, /^No drift seen: 4 of 4 targets as Edge put them there \(/);
      const asked = await looked(edge, added, '--added');
      assert.equal(asked.status, 1);
      assert.match(asked.stdout, /^ {2}app\.pid was added$/m);
      assert.equal((await looked(edge, { 'web-1': { unknown: ['lib may not be entered'] } })).status, 7);
    }),
  );

  test(
    'it looks, waits and tells; of what is left out it says so, and nobody has looked where none did',
    withEdgeApi(async (edge) => {
      await edge.configure(4, ['2.0.0']);
      const none = await edgeCli(edge).run('drift', 'web', 'production', '--last');
      assert.deepEqual([none.status, none.stdout], [7, 'Nobody has looked yet.\n']);
      const nothing = await edgeCli(edge).run('drift', 'web', 'production');
      assert.match(nothing.stderr, /^error plan_empty: There is nothing that Edge has put/);
      await edge.admin.deploy({
        ...{ project: 'web', environment: 'production', version: '2.0.0' },
        ...{ targets: ['web-1'], reason: 'one' },
      });
      await edge.work();
      edge.time.now += 1_000;
      const { status, stdout, stderr } = await edgeCli(edge).working(['drift', 'web', 'production'], () => ({
        kind: 'done',
        outputs: SAME,
      }));
      assert.equal(status, 0, stderr);
      assert.match(stderr, /nothing there that it could compare: web-2, web-3, web-4\./);
      assert.match(stdout, /^No drift seen: 1 of 1 target as Edge put it there /);
    }),
  );

  test(
    'the last look is one at all targets, however many glances at some came since; without one it says so',
    withEdgeApi(async (edge) => {
      await placed(edge);
      const glance = async () => {
        const place = { project: 'web', environment: 'production' };
        await edge.admin.drift({ ...place, targets: ['web-1'], reason: 'a glance' });
        await edge.work(() => ({ kind: 'done', outputs: SAME }));
        edge.time.now += 1_000;
        return edgeCli(edge).run('drift', 'web', 'production', '--last');
      };
      const some = await glance();
      assert.equal(some.status, 7);
      assert.match(some.stderr, /not asked to look at web-\[2-4\]\./);
      const changed = { what: 'file', path: 'a', how: 'changed' } as const;
      assert.equal((await looked(edge, { 'web-2': { differs: [changed] } })).status, 1);
      edge.time.now += 1_000;
      const all = await glance();
      assert.equal(all.status, 1);
      assert.match(all.stdout, /^1 of 4 targets has drifted/);
      assert.doesNotMatch(all.stderr, /not asked/);
    }),
  );

  test(
    'looks are no commands: viewers may see them, and the history shows them only if it is asked',
    withEdgeApi(async (edge) => {
      await placed(edge);
      await looked(edge, {});
      const viewer = edge.client(await edge.token('view'));
      const place = { project: 'web', environment: 'production' };
      const { deployment } = await viewer.lastFindings(place);
      assert.equal(deployment?.verb, 'drift');
      const [id] = deployment ? [deployment.id] : [];
      assert.ok(id);
      assert.equal((await viewer.deploymentEvents({ deployment: id })).events.length > 0, true);
      await assert.rejects(viewer.drift({ ...place, reason: 'x' }), { code: 'permission_denied' });
      await assert.rejects(edge.admin.rollback({ deployment: id, reason: 'x' }), { code: 'verb_refused' });
      await assert.rejects(edge.admin.answers({ deployment: id }), { code: 'verb_refused' });
      const history = async (...words: readonly string[]) =>
        (await edgeCli(edge).run('history', 'web', 'production', ...words)).stdout.includes(id);
      assert.deepEqual([await history(), await history('--verb', 'drift')], [false, true]);
      const { projectEnvironments } = await viewer.status(place);
      assert.deepEqual(
        [projectEnvironments[0]?.last?.verb, projectEnvironments[0]?.active],
        ['deploy', null],
      );
    }),
  );
});
