import assert from 'node:assert/strict';
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { DeploymentRow, TargetView } from '../../src/api/contract.ts';
import type { Explained } from '../../src/plan/explain.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;
const PATIENCE_MS = 60_000;

/** Writes down what it is called and which version it was told of. Before the first install there is no folder yet. */
const note = (id: string) =>
  `{ id: ${id}, action: host.run@1, with: { argv: [sh, -c, 'while [ -e "$HOME/hold" ]; do sleep 0.1; done; echo "$0 $EDGE_VERSION $TO" >> "$HOME/notes"', ${id}], cwd: "~", env: { TO: "${id}" } } }`;
/** The first start of a host kills who watches over it and hangs: nobody sees its end. */
const START = `
if [ -e "$HOME/vanish" ]; then rm "$HOME/vanish"; kill -9 $PPID; sleep 300; fi
exec current/bin/start
`;
const LOOK =
  '{ id: look, action: health.verify@1, with: { check: { kind: tcp }, passes: 1, intervalMs: 50, windowMs: 20000 } }';

describe('a strategy in YAML that lists its own steps', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.9',
      hosts: 2,
      versions: ['v1', 'v2'],
      minInService: 1,
      strategy:
        '{ canary: 0, batches: 1, parallel: 1, retries: { enable: { max: 50, backoffMs: 500, factor: 1 } }, steps: { datacenter: ' +
        `[guard, drain, ${note('save')}, stop, install, ${note('migrate')}, start, verify, ${LOOK}, enable] } }`,
      project: `commands: { start: [sh, -c, 'exec sh "$HOME/start"'] }\nonUnknown: { start: retry }\ntimeouts: { graceMs: 1000 }`,
    });
    for (const { sshd: host } of estate.targets) await writeFile(join(host.home, 'start'), START);
  });
  after(() => estate?.stop());

  const fileOf = (name: string) => join(estate.targets[0]?.sshd.home ?? '', name);
  const look = async (id: string) =>
    jsonOf(expectDone(await estate.edge('status', id, '--json'))) as {
      readonly deployment: DeploymentRow;
      readonly view: { readonly targets: readonly TargetView[] };
    };
  const notes = async (index: number) =>
    (await readFile(join(estate.targets[index]?.sshd.home ?? '', 'notes'), 'utf8')).trim().split('\n');

  test('«a strategy lists steps of its own»: does them in a deployment, shows them in the plan, and leaves out in a restart what belongs to install', async () => {
    const { explained } = jsonOf(expectDone(await estate.edge('plan', ...PLACE, 'v1', '--json'))) as {
      readonly explained: Explained;
    };
    const [steps] = Object.values(explained.sequences);
    assert.deepEqual(
      steps?.map(({ id }) => id),
      ['fetch', 'guard', 'drain', 'save', 'stop', 'install', 'migrate', 'start', 'verify', 'look', 'enable'],
    );
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    assert.deepEqual(await estate.served(), ['v1', 'v1']);
    for (const index of [0, 1]) assert.deepEqual(await notes(index), ['save v1 save', 'migrate v1 migrate']);
    expectDone(await estate.edge('restart', ...PLACE, '--yes', '--json'));
    for (const index of [0, 1]) assert.deepEqual((await notes(index)).slice(2), ['save  save']);
  });

  test('does them in a rollback as well', async () => {
    expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--json'));
    expectDone(await estate.edge('rollback', ...PLACE, '--yes', '--json'));
    assert.deepEqual(await estate.served(), ['v1', 'v1']);
    assert.deepEqual((await notes(0)).slice(-2), ['save v1 save', 'migrate v1 migrate']);
  });

  test('«a step is tried again by itself, with pauses that are data», while its balancer is away', async () => {
    await writeFile(fileOf('hold'), '');
    const asked = jsonOf(
      expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--detach', '--json')),
    );
    const id = (asked as { readonly deployment: string }).deployment;
    const first = async () => (await look(id)).view.targets[0];
    await until('the first target is drained', async () => (await first())?.step === 'save', PATIENCE_MS);
    const { socket } = estate.haproxy;
    await rename(socket, `${socket}.away`);
    await rm(fileOf('hold'));
    const isTried = async () => /^tries again: HAProxy at /.test((await first())?.reason ?? '');
    await until('enable is tried again', isTried, PATIENCE_MS);
    await rename(`${socket}.away`, socket);
    await until('it has ended', async () => (await look(id)).deployment.ended, PATIENCE_MS);
    const { status, exceptions } = (await look(id)).deployment;
    assert.deepEqual([status, exceptions], ['succeeded', 0]);
    assert.deepEqual(await estate.served(), ['v2', 'v2']);
  });

  test('runs a command again of which nobody saw the end, once nothing of it runs, where the project says that it may', async () => {
    await writeFile(fileOf('vanish'), '');
    const restarted = expectDone(await estate.edge('restart', ...PLACE, '--yes', '--json'));
    const { deployment } = jsonOf(restarted) as { readonly deployment: DeploymentRow };
    assert.deepEqual([deployment.status, deployment.exceptions], ['succeeded', 0]);
    assert.deepEqual(await estate.served(), ['v2', 'v2']);
    await assert.rejects(access(fileOf('vanish')), 'it has run, and vanished');
    // The last `sleep` of a supervisor needs a moment to end.
    await until(
      'nothing is left on the hosts',
      async () => (await estate.strangers()).length === 0,
      PATIENCE_MS,
    );
  });
});
