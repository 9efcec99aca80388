import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EdgeClient, edgeClient } from '../../src/api/client.ts';
import type { CliSettings } from '../../src/cli/environment.ts';
import { type RunningServer, type ServerSettings, startServer } from '../../src/compose.ts';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { type LabBalancer, startLabBalancer } from '../../src/lab/balancer/lab-balancer.ts';
import { Lab, type LabHost } from '../../src/lab/lab.ts';
import { dumpDatabase } from './database-dump.ts';
import { errorDocuments, STEADY } from './error-documents.ts';
import { freePort } from './free-port.ts';
import { type MemberServer, startMemberServer } from './member-server.ts';
import { opened } from './opened.ts';
import { type Sshd, startSshdFleet } from './sshd.ts';
import { startSteadySeries } from './steady-series.ts';
import { until } from './until.ts';

/** A small estate in which everything that can be wrong is wrong somewhere; each row of the table asks for one of it. */
export type Estate = {
  readonly folder: string;
  /** Data folder of the server. */
  readonly data: string;
  readonly admin: EdgeClient;
  readonly settings: { readonly server: string; readonly token: string };
  readonly viewer: string;
  readonly balancer: LabBalancer;
  readonly members: readonly MemberServer[];
  readonly hosts: readonly LabHost[];
  /** One that has ended, and one that is in the middle of a command of 300 s. */
  readonly ended: DeploymentId;
  readonly slow: DeploymentId;
  /** One that waits for an approval, asked for with the token of the estate. */
  readonly waiting: DeploymentId;
  close(): Promise<void>;
};

export const POOLS = ['web', 'chatty', 'dark'] as const;
const PASSWORD = 'lab-only';

/** `sshdPath`: where real hosts can be had too. */
export const openEstate = (sshdPath: string | undefined): Promise<Estate> =>
  opened((ends) => fill(ends, sshdPath));

async function fill(ends: AsyncDisposableStack, sshdPath: string | undefined): Promise<Estate> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-errors-'));
  ends.defer(() => rm(folder, { recursive: true, force: true }));
  const lab = ends.adopt(
    await Lab.start({ folder: join(folder, 'lab'), hosts: 2, zones: ['default'] }),
    (each) => each.stop(),
  );
  const members: MemberServer[] = [];
  for (const name of [...POOLS, 'spare'])
    members.push(ends.adopt(await startMemberServer(name), (each) => each.kill()));
  const balancer = ends.adopt(await startBalancer(members), (each) => each.close());
  const real = await startReal(ends, sshdPath);
  const passwordFile = await written(join(folder, 'password'), PASSWORD);
  const wrongPasswordFile = await written(join(folder, 'wrong-password'), 'guess');
  const data = join(folder, 'data');
  const server = ends.adopt(await serverIn(data), (each) => each.stop());
  const settings = { server: server.url, token: String(server.token) };
  const admin = edgeClient(settings);
  const [balancerUrl, stoppedUrl] = [balancer.url, `http://127.0.0.1:${await freePort()}`];
  const series = ends.adopt(await startSteadySeries(STEADY), (each) => each.stop());
  const passwords = { passwordFile, wrongPasswordFile };
  await apply(
    admin,
    errorDocuments({ lab, balancerUrl, stoppedUrl, ...passwords, metrics: series.source, real }),
  );
  await makeReleases(admin, folder);
  const { secret: viewer } = await admin.createToken({ name: 'viewer', role: 'view' });
  const ended = await deployed(admin);
  const slow = await started(admin, 'slow');
  await until('the slow command runs', () => dumpDatabase(data).some(isDispatched));
  const waiting = await asked(admin);
  const close = () => ends.disposeAsync();
  const { hosts } = lab;
  return { folder, data, admin, settings, viewer, balancer, members, hosts, ended, slow, waiting, close };
}

/** A server with its own data folder; it works for the pool `default`. */
export function serverIn(dataFolder: string, more: Partial<ServerSettings> = {}): Promise<RunningServer> {
  return startServer({
    ...{ version: '0.0.0-test', dataFolder, environment: {}, log: () => {} },
    ...{ host: '127.0.0.1', port: 0, pools: ['default'] },
    ...more,
  });
}

/** A data folder that a server has used and left. */
export async function usedFolder({ folder }: Estate, name: string): Promise<string> {
  const data = join(folder, name);
  const server = await serverIn(data);
  await server.stop();
  return data;
}

export function apply(admin: EdgeClient, documents: readonly object[]): Promise<unknown> {
  const files = documents.map((each, index) => ({ path: `${index}.yaml`, text: JSON.stringify(each) }));
  return admin.applyConfiguration({ files });
}

export async function started(admin: EdgeClient, project: string): Promise<DeploymentId> {
  const place = { project, environment: 'lab', reason: 'test' };
  return (await admin.deploy({ ...place, verb: 'restart' })).deployment;
}

async function asked(admin: EdgeClient): Promise<DeploymentId> {
  const request = { project: 'shop', environment: 'guarded', version: '1.0.0', reason: 'test' };
  const { deployment } = await admin.deploy(request);
  const isAsked = async () => (await admin.deployment({ deployment })).view.overall.reason !== '';
  await until('it waits for its approval', isAsked, 20_000);
  return deployment;
}

/** A task of the dump whose command was handed to its host: nothing more is written of it until it ends. */
const isDispatched = (row: string): boolean => /^tasks .*"step":"start".*"checkpoint":"/.test(row);

export const settingsWith = (estate: Estate, token: string): { readonly settings: CliSettings } => ({
  settings: { ...estate.settings, token },
});

function startBalancer(members: readonly MemberServer[]): Promise<LabBalancer> {
  const monitor = { path: '/health', intervalMs: 50, timeoutMs: 5_000, fall: 1 };
  const spare = members.at(-1);
  return startLabBalancer({
    users: [{ name: 'edge', password: PASSWORD, role: 'admin', partition: 'all' }],
    pools: POOLS.map((name, index) => ({
      name: `/Common/${name}`,
      members: [members[index], spare].flatMap((member, n) =>
        member ? [{ name: `${name}-${n + 1}:80`, connect: { host: '127.0.0.1', port: member.port } }] : [],
      ),
      monitor,
    })),
  });
}

async function written(path: string, text: string): Promise<string> {
  await writeFile(path, text);
  return path;
}

/** One host as it should be, and one on which a helper is not installed. */
async function startReal(ends: AsyncDisposableStack, sshdPath: string | undefined): Promise<readonly Sshd[]> {
  if (sshdPath === undefined) return [];
  const start = async (network: string, config: readonly string[]) =>
    ends.adopt(await startSshdFleet({ count: 1, sshdPath, network, config }), (fleet) => fleet.stop());
  const bare = await programsWithout('sha256sum');
  ends.defer(() => rm(bare, { recursive: true, force: true }));
  const fleets = [await start('127.71.31', []), await start('127.71.32', [`SetEnv PATH=${bare}`])];
  return fleets.flatMap(({ hosts }) => hosts);
}

/** A folder with everything of /usr/bin but one program. */
async function programsWithout(missing: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-programs-'));
  await chmod(folder, 0o755);
  const all = ['/bin', '/usr/bin'].filter((each) => existsSync(each));
  for (const source of all)
    for (const name of await readdir(source))
      if (name !== missing) await symlink(join(source, name), join(folder, name)).catch(() => {});
  return folder;
}

/** 1.0.0 without files; `changed` and `gone`, whose files are no more what they were. */
async function makeReleases(admin: EdgeClient, folder: string): Promise<void> {
  await mkdir(join(folder, 'artifacts'));
  const release = async (version: string, file: string | undefined) => {
    const artifacts =
      file === undefined
        ? []
        : [{ name: 'shop.jar', path: await written(join(folder, 'artifacts', file), file) }];
    await admin.createRelease({ kind: 'release', project: 'shop', version, artifacts });
  };
  await release('1.0.0', undefined);
  await release('changed', 'changed.jar');
  await release('gone', 'gone.jar');
  await admin.createRelease({
    ...{ kind: 'release', project: 'shop', version: 'unset' },
    files: [{ path: 'shop.conf', content: 'a=1\nhost={{host}}\n' }],
    variables: [{ name: 'host', value: 'db', environment: 'elsewhere' }],
  });
  await writeFile(join(folder, 'artifacts', 'changed.jar'), 'other content');
  await rm(join(folder, 'artifacts', 'gone.jar'));
}

async function deployed(admin: EdgeClient): Promise<DeploymentId> {
  const request = { project: 'shop', environment: 'lab', version: '1.0.0', reason: 'test' };
  const { deployment } = await admin.deploy(request);
  await until(
    'shop is deployed',
    async () => (await admin.deployment({ deployment })).deployment.ended,
    20_000,
  );
  const { deployment: row } = await admin.deployment({ deployment });
  assert.equal(row.status, 'succeeded', row.reason);
  return deployment;
}
