import assert from 'node:assert/strict';
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { DeploymentRow, ProjectEnvironmentStatus } from '../../src/api/contract.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const skip = sshd.skip ?? haproxy.skip ?? false;

const PLACE = [PROJECT, ENVIRONMENT] as const;
const PATIENCE_MS = 60_000;
const START =
  'echo started >>"$HOME/starts"\nwhile [ -e "$HOME/hold" ]; do sleep 0.1; done\nexec current/bin/start\n';

describe('the CLI where no server runs', { skip }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.3',
      hosts: 1,
      versions: ['v1', 'v2'],
      minInService: 0,
      strategy: '{ settleMs: 0 }',
      project: `commands: { start: [sh, -c, 'exec sh "$HOME/start"'] }`,
      server: false,
    });
    await writeFile(home('start'), START);
  });
  after(() => estate?.stop());

  const home = (name: string) => join(estate.targets[0]?.sshd.home ?? '', name);
  const active = async () => {
    const status = jsonOf(expectDone(await estate.edge('status', ...PLACE, '--json')));
    const { projectEnvironments } = status as { projectEnvironments: readonly ProjectEnvironmentStatus[] };
    return projectEnvironments[0]?.active;
  };
  const isServed = () =>
    access(join(estate.dataFolder, 'server.json')).then(
      () => true,
      () => false,
    );

  test('is the server itself for the time of its deployment, and a second one finds the first', async () => {
    await writeFile(home('hold'), '');
    const first = estate.start('deploy', ...PLACE, 'v1', '--yes', '--json');
    await until('the first CLI serves', isServed, PATIENCE_MS);
    await until(
      'the second CLI sees its deployment',
      async () => (await active())?.version === 'v1',
      PATIENCE_MS,
    );
    await rm(home('hold'));
    const { deployment } = jsonOf(expectDone(await first.ended)) as { deployment: DeploymentRow };
    assert.equal(deployment.status, 'succeeded');
    assert.deepEqual(await estate.served(), ['v1']);
    assert.equal(await isServed(), false);
  });

  test('pauses at a safe point at Ctrl-C, ends, and the next one goes on from there', async () => {
    await writeFile(home('hold'), '');
    const first = estate.start('deploy', ...PLACE, 'v2', '--yes');
    await until('the deployment runs', async () => (await active())?.counts.active === 1, PATIENCE_MS);
    await until('it is shown', () => first.stdout().includes('web-1'), PATIENCE_MS);
    first.signal('SIGINT');
    await until('it is paused', async () => (await active())?.status === 'paused', PATIENCE_MS);
    await rm(home('hold'));
    const { status, stderr } = await first.ended;
    assert.equal(status, 130);
    const [, id = ''] = /edge resume (\S+?)`/.exec(stderr) ?? [];
    const resumed = jsonOf(expectDone(await estate.edge('resume', id, '--json'))) as {
      deployment: DeploymentRow;
    };
    assert.equal(resumed.deployment.status, 'succeeded');
    assert.deepEqual(await estate.served(), ['v2']);
  });

  test('that is killed in mid-command leaves the command running, and the next one takes it over', async () => {
    await writeFile(home('hold'), '');
    const first = estate.start('deploy', ...PLACE, 'v1', '--yes', '--json');
    await until('the start waits on the host', async () => (await waiting(estate)) > 0, PATIENCE_MS);
    first.signal('SIGKILL');
    await first.ended;
    assert.ok((await waiting(estate)) > 0);
    await rm(home('hold'));
    const id = (await active())?.id ?? '';
    assert.match(id, /./, 'the deployment is still under way');
    const { status, stdout, stderr } = await estate.edge('watch', id, '--json');
    assert.equal(status, 0, stdout + stderr);
    assert.deepEqual(await estate.served(), ['v1']);
    assert.equal(await readFile(home('starts'), 'utf8'), 'started\n'.repeat(3), 'once for each deployment');
  });
});

/** Start scripts that wait on the host. */
async function waiting(estate: Estate): Promise<number> {
  return (await estate.strangers()).filter(({ command }) => /^sh \S+\/start$/.test(command)).length;
}
