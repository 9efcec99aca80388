import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { environment } from '../../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../../test/support/edge-api.ts';
import { edgeCli } from '../../../test/support/edge-cli.ts';

const TRUST = ['trust', 'web', 'production'];
const TERMINAL = { terminal: { answers: true } };

/** Two hosts that nobody knows; each shows a key of nothing but A, and of B once it was wiped. */
async function strangers(edge: EdgeApi, ssh: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await edge.configure(2);
  const document = environment({ ssh: { user: 'deploy', identityFile: '/key', ...ssh } });
  await edge.admin.applyConfiguration({ files: [{ path: 'e.yaml', text: JSON.stringify(document) }] });
}

const recordedKeys = async ({ store }: EdgeApi) =>
  (await store.records.list('host-key')).map(
    ({ key, value }) => `${key} ${value.key.fingerprint[7]} ${value.earlier.length}`,
  );

describe('edge trust', () => {
  test(
    'on a terminal the keys are shown with how to compare them, and only yes records them',
    withEdgeApi(async (edge) => {
      await strangers(edge);
      for (const answers of ['n\n', '\n', '']) {
        const no = await edgeCli(edge, { ...TERMINAL, answers }).run(...TRUST);
        assert.equal(no.status, 7);
        assert.match(no.stdout, /^\+ web-1 {2}10\.0\.0\.1:22 {2}ssh-ed25519 SHA256:A{43} {2}new$/m);
        assert.match(no.stdout, /ssh-keygen -lf \/etc\/ssh\/ssh_host_ed25519_key\.pub/);
        assert.match(no.stderr, /Record 2 keys\? \[y\/N\].*Nothing was recorded/s);
      }
      assert.deepEqual(await recordedKeys(edge), []);
      const yes = await edgeCli(edge, { ...TERMINAL, answers: 'y\n' }).run(...TRUST);
      assert.equal(yes.status, 0);
      assert.match(yes.stdout, /^Recorded 2 keys\.$/m);
      assert.deepEqual(await recordedKeys(edge), [
        'production/10.0.0.1:22 A 0',
        'production/10.0.0.2:22 A 0',
      ]);
    }),
  );

  test(
    'without a terminal nothing is recorded unless --yes says so, and the exit status tells',
    withEdgeApi(async (edge) => {
      await strangers(edge);
      const { status, stderr } = await edgeCli(edge).run(...TRUST);
      assert.equal(status, 7);
      assert.match(stderr, /Nothing was recorded: compare the keys, then say --yes/);
      assert.equal((await edgeCli(edge, { ...TERMINAL, answers: 'y\n' }).run(...TRUST, '--json')).status, 7);
      assert.deepEqual(await recordedKeys(edge), []);
      const json = await edgeCli(edge).run(...TRUST, '--yes', '--json', '--target', 'web-2');
      assert.equal(json.status, 0);
      const { hosts, recorded } = JSON.parse(json.stdout);
      assert.deepEqual([hosts.length, recorded.length, recorded[0].change], [1, 1, 'created']);
      assert.deepEqual(await recordedKeys(edge), ['production/10.0.0.2:22 A 0']);
      const again = await edgeCli(edge).run(...TRUST, '--yes');
      assert.match(again.stdout, /✓ web-2 .* known: recorded by first \d{4}-/);
    }),
  );

  test(
    'a key that changed is named, and stays recorded until --replace',
    withEdgeApi(async (edge) => {
      await strangers(edge);
      await edgeCli(edge).run(...TRUST, '--yes');
      edge.shown.host('web-1').wipe();
      for (const more of [['--yes'], []]) {
        const { status, stdout } = await edgeCli(edge).run(...TRUST, ...more);
        assert.equal(status, 7);
        assert.match(stdout, /^! web-1 .* SHA256:B{43} {2}CHANGED: recorded by first/m);
        assert.match(stdout, /error host_key_mismatch: web-1 shows the key .*first has recorded SHA256:A/);
      }
      assert.equal((await recordedKeys(edge))[0], 'production/10.0.0.1:22 A 0');
      const asked = await edgeCli(edge, { ...TERMINAL, answers: 'y\n' }).run(...TRUST, '--replace');
      assert.equal(asked.status, 0);
      assert.match(asked.stderr, /Record 1 key, 1 of them in place of another\?/);
      assert.equal((await recordedKeys(edge))[0], 'production/10.0.0.1:22 B 1');
    }),
  );

  test(
    'a host that shows no key is told, and the others are recorded',
    withEdgeApi(async (edge) => {
      await strangers(edge);
      edge.shown.host('web-1').reachable = false;
      const { status, stdout } = await edgeCli(edge).run(...TRUST, '--yes');
      assert.equal(status, 7);
      assert.match(stdout, /^✗ web-1 .*shows no key\n {4}error host_unreachable/m);
      assert.match(stdout, /^Recorded 1 key\.$/m);
    }),
  );

  test(
    'jump hosts come first, and what is behind them is shown once they are recorded',
    withEdgeApi(async (edge) => {
      await strangers(edge, { jump: 'bastion' });
      const { status, stdout } = await edgeCli(edge).run(...TRUST, '--yes');
      assert.equal(status, 0);
      assert.match(
        stdout,
        /^\+ bastion .*jump host bastion:22.* new\n✗ web-1 .*comes after its jump host\n✗ web-2 /m,
      );
      assert.match(stdout, /^Recorded 3 keys\.$/m);
      assert.equal((await edgeCli(edge).run('plan', 'web', 'production', '2.0.0')).status, 0);
    }),
  );

  test(
    'each look asks anew, and the end of what a person types is a no',
    withEdgeApi(async (edge) => {
      await strangers(edge, { jump: 'bastion' });
      const { status, stdout, stderr } = await edgeCli(edge, { ...TERMINAL, answers: 'y\n' }).run(...TRUST);
      assert.equal(status, 7);
      assert.match(stderr, /Record 1 key\? .*Record 2 keys\? .*Nothing was recorded/s);
      assert.match(stdout, /^Recorded 1 key\.$/m);
      assert.deepEqual(await recordedKeys(edge), ['production/bastion:22 A 0']);
    }),
  );

  test(
    'what the configuration names is only looked at',
    withEdgeApi(async (edge) => {
      await edge.configure(2);
      const { status, stdout } = await edgeCli(edge).run(...TRUST, '--yes', '--replace');
      assert.equal(status, 0);
      assert.match(stdout, /^✓ web-1 .* known: knownHosts$/m);
      assert.deepEqual(await recordedKeys(edge), []);
    }),
  );

  test(
    'without it, a plan says which command shows the keys',
    withEdgeApi(async (edge) => {
      await strangers(edge);
      const { status, stderr } = await edgeCli(edge).run('plan', 'web', 'production', '2.0.0');
      assert.equal(status, 7);
      assert.match(stderr, /host_key_unknown.*`edge trust web production`/s);
      const doctor = await edgeCli(edge).run('doctor', 'web', 'production');
      assert.match(doctor.stdout, /host_key_unknown.*`edge trust web production`/s);
    }),
  );
});
