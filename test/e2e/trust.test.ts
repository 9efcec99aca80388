import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { DoctorCheck, HostKeyRow } from '../../src/api/contract.ts';
import type { ErrorBody } from '../../src/domain/errors.ts';
import { type EdgeEnd, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../support/sshd.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;

describe('hosts whose keys nobody knows', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let estate: Estate;
  let gate: SshdFleet;
  let bastion: Sshd;
  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.72.31', hosts: 2 },
      ...{ versions: ['v1'], minInService: 0, strategy: '{ batches: [100%], settleMs: 0 }' },
      ...{ balancer: 'none', strangers: true },
    });
    const config = [`AuthorizedKeysFile ${hostAt(0).identityFile}.pub`, 'LogLevel VERBOSE'];
    gate = await startSshdFleet({ sshdPath: sshd.path ?? '', network: '127.72.32', count: 1, config });
    bastion = gate.hosts[0] ?? assert.fail('no jump host');
  });
  after(async () => {
    await estate?.stop();
    await gate?.stop();
  });

  const trust = (...more: readonly string[]) => estate.edge('trust', ...PLACE, '--json', ...more);
  const errorOf = (end: EdgeEnd) => (jsonOf(end) as { readonly error: ErrorBody }).error;
  const rowsOf = (end: EdgeEnd) => (jsonOf(end) as { readonly hosts: readonly HostKeyRow[] }).hosts;
  const hostAt = (index: number) => estate.targets[index]?.sshd ?? assert.fail('no such host');
  const doctor = async () => {
    const { checks } = jsonOf(await estate.edge('doctor', ...PLACE, '--json')) as {
      readonly checks: readonly DoctorCheck[];
    };
    return checks.map(({ problems }) => problems[0]?.code ?? 'well');
  };
  const fingerprintsOf = (end: EdgeEnd) => rowsOf(end).map(({ shown }) => shown?.fingerprint);

  test('are applied, and refused by a plan and by doctor with the command that shows their keys', async () => {
    const plan = await estate.edge('plan', ...PLACE, 'v1', '--json');
    assert.equal(plan.status, 7);
    assert.equal(errorOf(plan).code, 'host_key_unknown');
    assert.ok(errorOf(plan).hint.includes(`edge trust ${PROJECT} ${ENVIRONMENT}`));
    assert.deepEqual(await doctor(), ['host_key_unknown', 'host_key_unknown']);
  });

  test('stay unknown as long as nobody says yes', async () => {
    const shown = await trust();
    assert.equal(shown.status, 7);
    assert.deepEqual(fingerprintsOf(shown), [hostAt(0).fingerprint, hostAt(1).fingerprint]);
    assert.deepEqual(await doctor(), ['host_key_unknown', 'host_key_unknown']);
  });

  test('are deployed to: «a key that a host shows is trusted once a person says so, and the record says who»', async () => {
    expectDone(await trust('--yes'));
    assert.deepEqual(await doctor(), ['well', 'well']);
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    assert.deepEqual(await estate.served(), ['v1', 'v1']);
  });

  test('are reached no more with another key, which takes the place of the recorded one only by --replace', async () => {
    const old = hostAt(1).fingerprint;
    await hostAt(1).changeKeys();
    // The server may still have a connection from before.
    await hostAt(1).killSessions();
    assert.deepEqual(await doctor(), ['well', 'host_key_mismatch']);
    const refused = await trust('--yes');
    assert.equal(refused.status, 7);
    assert.deepEqual(
      rowsOf(refused).map(({ verdict, recorded }) => [verdict, recorded?.by]),
      [
        ['trusted', 'first'],
        ['changed', 'first'],
      ],
    );
    assert.deepEqual(await doctor(), ['well', 'host_key_mismatch']);
    expectDone(await trust('--yes', '--replace', '--target', 'web-2'));
    assert.deepEqual(await doctor(), ['well', 'well']);
    const [row] = rowsOf(expectDone(await trust('--target', 'web-2')));
    assert.deepEqual(
      row?.recorded?.earlier.map(({ fingerprint, by }) => [fingerprint, by]),
      [[old, 'first']],
    );
  });

  test('may be behind a jump host that nobody knows either', async () => {
    const file = join(dirname(estate.dataFolder), 'estate.yaml');
    const text = await readFile(file, 'utf8');
    const jump = `${bastion.address}:${bastion.port}`;
    await writeFile(file, text.replace('ssh:\n', `ssh:\n  jump: '${jump}'\n`));
    expectDone(await estate.edge('apply', '-f', file, '--json'));
    assert.deepEqual(await doctor(), ['host_key_unknown', 'host_key_unknown']);
    assert.deepEqual(
      rowsOf(await trust()).map(({ jump, verdict }) => [jump, verdict]),
      [
        [true, 'new'],
        [false, 'unseen'],
        [false, 'unseen'],
      ],
    );
    const rows = rowsOf(expectDone(await trust('--yes')));
    assert.deepEqual(
      rows.map(({ verdict }) => verdict),
      ['trusted', 'trusted', 'trusted'],
    );
    assert.deepEqual(await doctor(), ['well', 'well']);
    assert.match(await readFile(bastion.logFile, 'utf8'), /Accepted publickey/);
  });
});
