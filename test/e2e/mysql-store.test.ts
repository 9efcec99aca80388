import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { DeploymentRow } from '../../src/api/contract.ts';
import { edge, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate, startEdgeServer } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { type Mariadb, startMariadb } from '../support/mariadb.ts';
import { until } from '../support/until.ts';

const services = [requireService('sshd'), requireService('haproxy'), requireService('mariadb')] as const;
const [sshd, haproxy, database] = services;
const skip = services.find((one) => one.skip !== undefined)?.skip ?? false;

const PLACE = [PROJECT, ENVIRONMENT] as const;
const PATIENCE_MS = 60_000;
/** Each start waits on the host as long as the file `hold` is there. */
const START =
  'echo started >>"$HOME/starts"\nwhile [ -e "$HOME/hold" ]; do sleep 0.1; done\nexec current/bin/start\n';

describe('Edge with its state in MariaDB', { skip }, () => {
  let mariadb: Mariadb;
  let estate: Estate;
  let env: Readonly<Record<string, string>>;

  before(async () => {
    mariadb = await startMariadb({ path: database.path ?? '', address: '127.61.0.4' });
    await mariadb.sql('CREATE DATABASE edge');
    env = { EDGE_STORE: mariadb.url('edge'), EDGE_STORE_PASSWORD: mariadb.password };
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.9',
      hosts: 2,
      versions: ['v1', 'v2'],
      minInService: 0,
      strategy: '{ settleMs: 0 }',
      project: `commands: { start: [sh, -c, 'exec sh "$HOME/start"'] }`,
      env,
    });
    for (const { sshd: host } of estate.targets) await writeFile(join(host.home, 'start'), START);
  });
  after(async () => {
    await estate?.stop();
    await mariadb?.stop();
  });

  const starts = async (): Promise<readonly number[]> =>
    Promise.all(
      estate.targets.map(async ({ sshd: { home } }) => {
        const text = await readFile(join(home, 'starts'), 'utf8').catch(() => '');
        return text.split('\n').length - 1;
      }),
    );
  const deploymentOf = (end: { stdout: string; stderr: string; status: number | null }): DeploymentRow =>
    (jsonOf(expectDone(end)) as { deployment: DeploymentRow }).deployment;

  test('a deployment goes over all hosts', async () => {
    const end = await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json');
    assert.equal(deploymentOf(end).status, 'succeeded');
    assert.deepEqual(await estate.served(), ['v1', 'v1']);
    assert.deepEqual(await starts(), [1, 1]);
  });

  test('a deployment goes on after kill -9 of the database, and nothing runs twice', async () => {
    const hold = join(estate.targets[0]?.sshd.home ?? '', 'hold');
    await writeFile(hold, '');
    const begun = await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--json', '--detach');
    const { deployment: id } = jsonOf(expectDone(begun)) as { deployment: string };
    await until('a start waits on the host', async () => (await starts())[0] === 2, PATIENCE_MS);
    await mariadb.kill();
    await rm(hold);
    await mariadb.start();
    const end = await estate.edge('watch', id, '--json');
    assert.equal(end.status, 0, end.stdout + end.stderr);
    assert.deepEqual(await estate.served(), ['v2', 'v2']);
    assert.deepEqual(await starts(), [2, 2]);
  });

  test('a second server with a data folder of its own knows the same deployments, tokens and locks', async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'edge-second-'));
    const token = expectDone(await estate.edge('token', 'create', 'second', '--role', 'admin')).stdout.trim();
    const server = await startEdgeServer({ dataFolder, env });
    const [, url = ''] = /serves (http\S+) from (\S+)/.exec(server.stdout()) ?? [];
    assert.ok(!server.stdout().includes(mariadb.password));
    const asked = await edge(['history', '--json'], {
      dataFolder,
      env: { EDGE_SERVER: url, EDGE_TOKEN: token },
    });
    const { deployments } = jsonOf(expectDone(asked)) as { deployments: readonly DeploymentRow[] };
    assert.deepEqual(
      deployments.map(({ status, version }) => [status, version]),
      [
        ['succeeded', 'v2'],
        ['succeeded', 'v1'],
      ],
    );
    server.signal('SIGTERM');
    assert.equal((await server.ended).status, 0);
    await rm(dataFolder, { recursive: true });
  });

  test('a password that is wrong or in the address is refused with what to do', async () => {
    const dataFolder = await mkdtemp(join(tmpdir(), 'edge-refused-'));
    const wrong = await edge(['server'], { dataFolder, env: { ...env, EDGE_STORE_PASSWORD: 'wrong' } });
    assert.equal(wrong.status, 8);
    assert.match(wrong.stderr, /refuses the user or the password[\s\S]*EDGE_STORE_PASSWORD/);
    const shown = mariadb.url('edge').replace('@', ':hunter2@');
    const refused = await edge(['server', '--store', shown], { dataFolder });
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /has a password in it[\s\S]*EDGE_STORE_PASSWORD/);
    assert.ok(!refused.stderr.includes('hunter2'));
    await rm(dataFolder, { recursive: true });
  });
});
