import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type EdgeClient, edgeClient } from '../../src/api/client.ts';
import type { Input, Output } from '../../src/api/contract.ts';
import { startServer } from '../../src/compose.ts';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { readDiary, type Work } from './diary.ts';
import { type Front, type FrontKind, LAB_PASSWORD, startFront } from './fronts.ts';
import { type MemberServer, startMemberServer } from './member-server.ts';
import { opened } from './opened.ts';
import {
  documents,
  ENVIRONMENT,
  fileOf,
  type Given,
  OTHER,
  PROJECT,
  projectDocument,
  type Setting,
} from './scene-configuration.ts';
import { type SshdFleet, startSshdFleet } from './sshd.ts';
import { until } from './until.ts';

const PLACE = { project: PROJECT, environment: ENVIRONMENT };
const PATIENCE_MS = 60_000;
const LOOK_MS = 40;

export type SceneOptions = {
  readonly sshdPath: string;
  /** First three numbers of the address of the host. */
  readonly network: string;
  readonly servers: number;
  readonly fronts: readonly FrontKind[];
  /** Which servers stand behind a front, by index; all if it is left out. */
  readonly behind?: Partial<Readonly<Record<FrontKind, readonly number[]>>>;
};

export type Ended = Output<'deployment'>;

/**
 * A whole Edge in this process, with its own store, SSH and balancers, and the servers that it deploys to: they stand behind
 * real fronts, all on one real OpenSSH host, are never stopped, and write down when they are worked on.
 */
export type Scene = {
  readonly servers: readonly MemberServer[];
  readonly fronts: readonly Front[];
  /** The first of them. */
  readonly front: Front;
  readonly edge: EdgeClient;
  readonly server: { readonly url: string; readonly token: string };
  readonly fleet: SshdFleet;
  readonly configure: (setting?: Setting) => Promise<void>;
  /** Starts a deployment to all targets, whatever is there. */
  readonly deploy: (more?: Partial<Input<'deploy'>>) => Promise<DeploymentId>;
  readonly look: (id: DeploymentId) => Promise<Ended>;
  /** Resolves when it has ended, or is paused. */
  readonly rests: (id: DeploymentId) => Promise<Ended>;
  /** Deploys and waits; rejects unless all went well. */
  readonly deployed: (more?: Partial<Input<'deploy'>>) => Promise<Ended>;
  /** What was done on the host since the last `configure`, in the order in which it began. */
  readonly work: () => Promise<readonly Work[]>;
  /** What happens to a server from now on: its start command waits, or fails; it is `ill`, for a check that asks the file. */
  readonly make: (server: MemberServer, how: 'hold' | 'fail' | 'ill' | 'go') => Promise<void>;
  /** Whether the start command of a server waits. */
  readonly isHeld: (server: MemberServer) => Promise<boolean>;
  /** What Edge has told its log since the last `tidy`. */
  readonly notices: () => readonly string[];
  /** Puts all back as it was: nothing runs, is held, parked or ill. */
  readonly tidy: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export const openScene = (options: SceneOptions): Promise<Scene> => opened((ends) => open(options, ends));

async function open(options: SceneOptions, ends: AsyncDisposableStack): Promise<Scene> {
  const { sshdPath, network } = options;
  const names = Array.from({ length: options.servers }, (_, n) => `web-${n + 1}`);
  const servers = await Promise.all(names.map((name) => startMemberServer(name)));
  ends.defer(async () => void (await Promise.all(servers.map((server) => server.kill()))));
  const fleet = await startSshdFleet({ sshdPath, network, count: 1 });
  ends.defer(fleet.stop);
  const fronts: Front[] = [];
  for (const kind of options.fronts) {
    const indexes = options.behind?.[kind] ?? [...servers.keys()];
    const front = await startFront(kind, { fleet, servers: servers.filter((_, n) => indexes.includes(n)) });
    ends.defer(front.stop);
    fronts.push(front);
  }
  const folder = await folderIn(fleet);
  const notices: string[] = [];
  const server = await startEdge(fleet, { ends, log: (message) => notices.push(message) });
  const edge = edgeClient({ server: server.url, token: server.token, deadlineMs: PATIENCE_MS });
  await createReleases(edge, fleet);
  return sceneOf({ servers, fronts, fleet, folder, notices }, edge, {
    ...{ server, stop: () => ends.disposeAsync() },
  });
}

type Inner = Given & { readonly notices: string[] };

function sceneOf(given: Inner, edge: EdgeClient, more: Pick<Scene, 'server' | 'stop'>): Scene {
  const { servers, fronts, fleet, folder, notices } = given;
  const diary = join(folder, 'diary');
  const rests: Scene['rests'] = (id) => untilRests(edge, id);
  const deploy: Scene['deploy'] = async (request = {}) =>
    (await edge.deploy({ ...PLACE, version: 'v1', force: true, reason: 'test', ...request })).deployment;
  const make: Scene['make'] = async ({ name }, how) => {
    for (const each of ['hold', 'fail', 'ill']) await rm(join(folder, `${name}.${each}`), { force: true });
    if (how !== 'go') await writeFile(join(folder, `${name}.${how}`), '');
  };
  return {
    ...{ servers, fronts, edge, fleet, deploy, rests, make, ...more },
    get front() {
      const [front] = fronts;
      if (!front) throw new Error('this scene has no front');
      return front;
    },
    look: (deployment) => edge.deployment({ deployment }),
    configure: async (setting = {}) => {
      await rm(diary, { force: true });
      await edge.applyConfiguration({ files: documents(given, setting).map(fileOf) });
    },
    deployed: async (request) => allWell(await rests(await deploy(request))),
    work: () => readDiary(diary),
    notices: () => notices,
    isHeld: async ({ name }) => {
      const works = await readDiary(diary);
      return works.findLast((work) => work.name === name)?.to === Number.POSITIVE_INFINITY;
    },
    tidy: async () => {
      for (const server of servers) {
        await make(server, 'go');
        server.release();
        Object.assign(server, { holding: false, healthy: true, gate: undefined });
      }
      await endAll(edge);
      for (const each of fronts) {
        for (const server of each.servers) await each.byHand(server, 'in');
        await until('all serve again', each.isWhole, PATIENCE_MS);
      }
      for (const file of await readdir(folder)) await rm(join(folder, file), { force: true });
      notices.length = 0;
    },
  };
}

async function untilRests(edge: EdgeClient, deployment: DeploymentId): Promise<Ended> {
  let seen = await edge.deployment({ deployment });
  await until(
    'the deployment rests',
    async () => {
      await wait(LOOK_MS);
      seen = await edge.deployment({ deployment });
      return seen.deployment.ended || seen.deployment.status === 'paused';
    },
    PATIENCE_MS,
  );
  return seen;
}

function allWell(ended: Ended): Ended {
  const { status, reason, exceptions } = ended.deployment;
  if (status === 'succeeded' && exceptions === 0) return ended;
  throw new Error(`${status}: ${reason} ${JSON.stringify(ended.view.targets)}`);
}

/** Where the host's account may write. */
async function folderIn(fleet: SshdFleet): Promise<string> {
  const folder = join(fleet.folder, 'diary');
  await mkdir(folder);
  await chmod(folder, 0o777);
  return folder;
}

type Running = { readonly ends: AsyncDisposableStack; readonly log: (message: string) => void };

async function startEdge(fleet: SshdFleet, { ends, log }: Running): Promise<Scene['server']> {
  const dataFolder = join(fleet.folder, 'data');
  await mkdir(dataFolder, { mode: 0o700 });
  const { url, token, stop } = await startServer({
    ...{ version: '0.0.0-test', host: '127.0.0.1', port: 0, pools: ['default'], dataFolder },
    environment: { LAB_PASSWORD },
    log,
  });
  ends.defer(stop);
  return { url, token: token ?? '' };
}

async function createReleases(edge: EdgeClient, fleet: SshdFleet): Promise<void> {
  const path = join(fleet.folder, 'artifact');
  await writeFile(path, 'nothing');
  const artifacts = [{ name: 'app', path }];
  for (const project of [PROJECT, OTHER]) {
    await edge.applyConfiguration({ files: [fileOf(projectDocument('', { name: project }))] });
    for (const version of ['v1', 'v2'])
      await edge.createRelease({ kind: 'release', project, version, artifacts });
  }
}

async function endAll(edge: EdgeClient): Promise<void> {
  for (;;) {
    const { deployments } = await edge.deployments({ ended: false });
    if (deployments.length === 0) break;
    for (const { id: deployment } of deployments) {
      await edge.abort({ deployment, reason: 'the test is over' }).catch(() => undefined);
      await until(
        'it has ended',
        async () => (await untilRests(edge, deployment)).deployment.ended,
        PATIENCE_MS,
      );
    }
  }
  const { projectEnvironments } = await edge.status();
  for (const { project, environment, parked } of projectEnvironments) {
    if (parked.length === 0) continue;
    const given = { project, environment, reason: 'the test is over' };
    const { deployment } = await edge.returnParked(given);
    await until(
      'all is returned',
      async () => (await untilRests(edge, deployment)).deployment.ended,
      PATIENCE_MS,
    );
  }
}
