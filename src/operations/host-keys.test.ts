import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { environment, project, projectEnvironment, targets } from '../../test/fixtures/configuration.ts';
import { type EdgeApi, withEdgeApi } from '../../test/support/edge-api.ts';
import type { Plan } from '../domain/plan.ts';

const PLACE = { project: 'web', environment: 'production' };
const BARE = { user: 'deploy', identityFile: '/key' };
const fingerprint = (letter: string): string => `SHA256:${letter.repeat(43)}`;
/** A key that host n of the fixture shows, as it is handed back; every host in memory shows A when it is new. */
const key = (n: number, letter = 'A') => ({
  ...{ address: `10.0.0.${n}`, port: 22, type: 'ssh-ed25519', fingerprint: fingerprint(letter) },
});

type Fields = Readonly<Record<string, unknown>>;
type Change = { readonly ssh?: Fields; readonly each?: (index: number) => Fields };

/** Three hosts whose keys nobody knows, unless it is said otherwise. */
async function configured(edge: EdgeApi, { ssh = BARE, each }: Change = {}): Promise<void> {
  await edge.configure(3);
  const documents = [
    project(),
    environment({ ssh }),
    projectEnvironment({ targets: targets(3, each ?? (() => ({}))) }),
  ];
  const files = documents.map((document) => ({
    path: `${document.kind}.yaml`,
    text: JSON.stringify(document),
  }));
  await edge.admin.applyConfiguration({ files });
}

const verdicts = async ({ admin }: EdgeApi) =>
  (await admin.showHostKeys(PLACE)).hosts.map(({ name, verdict, by }) => `${name} ${verdict} ${by}`);

describe('the keys of hosts', () => {
  test(
    'a configuration without any is applied, and planned once they are recorded, as part of what is hashed',
    withEdgeApi(async (edge) => {
      const { admin } = edge;
      await configured(edge);
      const request = { ...PLACE, version: '2.0.0' };
      await assert.rejects(admin.plan(request), { code: 'host_key_unknown' });
      await admin.trustHostKeys({ ...PLACE, keys: [key(1), key(2), key(3)] });
      const { plan, hash } = await admin.plan(request);
      assert.deepEqual(hostKeysIn(plan), Array(3).fill({ fingerprint: fingerprint('A') }));
      await admin.trustHostKeys({ ...PLACE, keys: [{ ...key(1, 'B'), replaces: fingerprint('A') }] });
      assert.notEqual((await admin.plan(request)).hash, hash);
    }),
  );

  test(
    'each host is told apart: known, new, another one, not there',
    withEdgeApi(async (edge) => {
      await configured(edge);
      assert.deepEqual(await verdicts(edge), ['web-1 new null', 'web-2 new null', 'web-3 new null']);
      await edge.admin.trustHostKeys({ ...PLACE, keys: [key(1), key(2)] });
      edge.shown.host('web-2').wipe();
      edge.shown.host('web-3').reachable = false;
      assert.deepEqual(await verdicts(edge), [
        'web-1 trusted record',
        'web-2 changed record',
        'web-3 unseen null',
      ]);
      const { hosts } = await edge.admin.showHostKeys({ ...PLACE, targets: ['web-2'] });
      assert.deepEqual(
        hosts.map(({ shown, problem }) => [
          shown?.fingerprint,
          problem?.code,
          problem?.hint.includes('--replace'),
        ]),
        [[fingerprint('B'), 'host_key_mismatch', true]],
      );
      await assert.rejects(edge.admin.showHostKeys({ ...PLACE, targets: ['web-9'] }), {
        code: 'target_unknown',
      });
    }),
  );

  test(
    'what is recorded is what was handed in, with who and when, whatever the host shows by then',
    withEdgeApi(async (edge) => {
      await configured(edge);
      edge.shown.host('web-1').wipe();
      const { recorded } = await edge.admin.trustHostKeys({ ...PLACE, keys: [key(1)] });
      assert.deepEqual(recorded, [{ ...key(1), change: 'created' }]);
      const [row] = (await edge.admin.showHostKeys(PLACE)).hosts;
      const { type } = key(1);
      assert.deepEqual(row?.recorded, {
        ...{ type, fingerprint: fingerprint('A'), by: 'first', at: edge.time.now, earlier: [] },
      });
      assert.equal(row?.verdict, 'changed');
    }),
  );

  test(
    'another recorded key is replaced only by who names it, and stays in the record',
    withEdgeApi(async (edge) => {
      await configured(edge);
      const { admin } = edge;
      await admin.trustHostKeys({ ...PLACE, keys: [key(1)] });
      const recordedAt = edge.time.now;
      edge.time.now += 60_000;
      for (const replaces of [undefined, fingerprint('C')]) {
        const other = { ...key(1, 'B'), ...(replaces && { replaces }) };
        await assert.rejects(admin.trustHostKeys({ ...PLACE, keys: [key(2), other] }), {
          code: 'host_key_mismatch',
        });
      }
      assert.deepEqual(await verdicts(edge), ['web-1 trusted record', 'web-2 new null', 'web-3 new null']);
      const replacing = { ...key(1, 'B'), replaces: fingerprint('A') };
      const { recorded } = await admin.trustHostKeys({ ...PLACE, keys: [replacing] });
      assert.deepEqual(
        recorded.map(({ change }) => change),
        ['replaced'],
      );
      const kept = (await admin.showHostKeys(PLACE)).hosts[0]?.recorded;
      assert.equal(kept?.fingerprint, fingerprint('B'));
      assert.deepEqual(kept?.earlier, [
        { type: 'ssh-ed25519', fingerprint: fingerprint('A'), by: 'first', at: recordedAt },
      ]);
    }),
  );

  test(
    'the same key again changes nothing, not even who recorded it',
    withEdgeApi(async (edge) => {
      await configured(edge);
      await edge.admin.trustHostKeys({ ...PLACE, keys: [key(1)] });
      const before = (await edge.admin.showHostKeys(PLACE)).hosts;
      edge.time.now += 60_000;
      const other = edge.client(await edge.token('admin'));
      const { recorded } = await other.trustHostKeys({ ...PLACE, keys: [key(1), key(1)] });
      assert.deepEqual(recorded, [{ ...key(1), change: 'unchanged' }]);
      assert.deepEqual((await edge.admin.showHostKeys(PLACE)).hosts, before);
    }),
  );

  test(
    'a key that the configuration names is looked at and never recorded',
    withEdgeApi(async (edge) => {
      for (const [change, by] of [
        [{ each: () => ({ hostKey: fingerprint('A') }) }, 'hostKey'],
        [{ ssh: { ...BARE, knownHosts: '/known_hosts' } }, 'knownHosts'],
      ] as const) {
        await configured(edge, change);
        assert.equal((await verdicts(edge))[0], `web-1 trusted ${by}`);
        await assert.rejects(edge.admin.trustHostKeys({ ...PLACE, keys: [key(1, 'B')] }), {
          code: 'request_invalid',
        });
      }
    }),
  );

  test(
    'a pin goes before what was recorded',
    withEdgeApi(async (edge) => {
      await configured(edge);
      await edge.admin.trustHostKeys({ ...PLACE, keys: [key(1), key(2), key(3)] });
      await configured(edge, { each: (index) => (index === 0 ? { hostKey: fingerprint('P') } : {}) });
      assert.equal((await verdicts(edge))[0], 'web-1 changed hostKey');
      const { plan } = await edge.admin.plan({ ...PLACE, version: '2.0.0' });
      assert.deepEqual(hostKeysIn(plan)[0], { fingerprint: fingerprint('P') });
    }),
  );

  test(
    'a key for what is no host of the environment, or two for one host, are refused',
    withEdgeApi(async (edge) => {
      await configured(edge);
      for (const keys of [[key(9)], [{ ...key(1), port: 2222 }], [key(1), key(1, 'B')]])
        await assert.rejects(edge.admin.trustHostKeys({ ...PLACE, keys }), { code: 'request_invalid' });
      assert.deepEqual(await edge.store.records.list('host-key'), []);
    }),
  );

  test(
    'what is behind a jump host is looked at once the key of the jump host is known',
    withEdgeApi(async (edge) => {
      await configured(edge, { ssh: { ...BARE, jump: 'bastion' } });
      const before = (await edge.admin.showHostKeys({ ...PLACE, targets: ['web-1'] })).hosts;
      assert.deepEqual(
        before.map(({ name, jump, verdict, problem }) => [name, jump, verdict, problem?.code]),
        [
          ['bastion', true, 'new', 'host_key_unknown'],
          ['web-1', false, 'unseen', 'host_key_unknown'],
        ],
      );
      await edge.admin.trustHostKeys({ ...PLACE, keys: [{ ...key(1), address: 'bastion' }] });
      assert.deepEqual((await verdicts(edge)).slice(0, 2), ['bastion trusted record', 'web-1 new null']);
    }),
  );

  test(
    'of two who record different keys of a host at the same moment one is refused',
    withEdgeApi(async (edge) => {
      await configured(edge);
      const results = await Promise.allSettled(
        ['A', 'B'].map((letter) => edge.admin.trustHostKeys({ ...PLACE, keys: [key(1, letter)] })),
      );
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    }),
  );
});

function hostKeysIn({ targets }: Plan): readonly unknown[] {
  return targets.map(({ facts }) => Object(facts.host).hostKey);
}
