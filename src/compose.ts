import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Plugin } from './actions/plugin.ts';
import { bindActions, COMMON_ACTIONS } from './actions/registry.ts';
import { httpTaskBoard } from './adapters/http-task-board/task-board.ts';
import { createInventory } from './adapters/inventory/inventory.ts';
import { memoryBell } from './adapters/memory/bell.ts';
import { parseStoreAddress } from './adapters/mysql/address.ts';
import { endpointOf } from './adapters/mysql/endpoint.ts';
import { openMysqlStore } from './adapters/mysql/store.ts';
import type { Store } from './adapters/sql/ports.ts';
import { openSqliteStore } from './adapters/sqlite/store.ts';
import { systemClock } from './adapters/system/clock.ts';
import { sortableIds } from './adapters/system/ids.ts';
import { type Incarnation, openFirstFree, openIncarnation } from './adapters/system/incarnation.ts';
import { systemFraction, systemRandom } from './adapters/system/random.ts';
import { systemSecrets } from './adapters/system/secrets.ts';
import { serverFile } from './adapters/system/server-file.ts';
import { edgeClient } from './api/client.ts';
import { type Page, readPage } from './api/page.ts';
import { apiServer } from './api/server.ts';
import { workerId } from './domain/ids.ts';
import { Driver } from './engine/driver.ts';
import { DriftSchedule } from './operations/drift-schedule.ts';
import type { OperationPorts } from './operations/ports.ts';
import { makeFirstToken } from './operations/tokens.ts';
import { planHash } from './plan/hash.ts';
import { planRollback } from './plan/rollback.ts';
import { DATACENTER_ACTIONS } from './platforms/datacenter/actions.ts';
import { datacenterWith } from './platforms/datacenter/plan.ts';
import type { Bell } from './ports/bell.ts';
import type { Inventory } from './ports/inventory.ts';
import type { TaskBoard } from './ports/task-board.ts';
import { threadedSimulator } from './simulation/plan/threads.ts';
import { WORKER_DEFAULTS } from './worker/settings.ts';
import { Worker } from './worker/worker.ts';
import { type ArtifactSettings, type World, worldOf } from './world.ts';

/** What a role needs of its process; read from options and environment by `main.ts`. */
export type RoleSettings = {
  readonly version: string;
  readonly dataFolder: string;
  /** The address of a database server that holds the state; left out: the data folder holds it. */
  readonly store?: string;
  /** Where secrets of `source: env` are looked up. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How much room artifacts may take in the data folder; left out: `ARTIFACT_BYTES`. */
  readonly artifactBytes?: number;
  /** The only origins that artifacts may come from; left out: any. */
  readonly artifactOrigins?: readonly string[];
  /** Kinds of work beside those of Edge itself. */
  readonly plugins?: readonly Plugin[];
  /** Told of what an administrator should know; `fault` is a thrown value. */
  readonly log: (message: string, fault?: unknown) => void;
};

export type ServerSettings = RoleSettings & {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Begins the looks that are due; not in a process that lives as long as one command. */
  readonly schedules?: boolean;
  /** Worker pools that this process works for as well; none for a server alone. */
  readonly pools: readonly string[];
};

export type WorkerRoleSettings = RoleSettings & {
  /** Left out: the store itself. */
  readonly remote?: { readonly server: string; readonly token: string };
  readonly pool: string;
  readonly name: string;
  readonly slots?: number;
};

export type Running = {
  /** Lets what runs come to a safe point, and ends; commands on hosts go on and are picked up by the next process. */
  stop(): Promise<void>;
};
export type RunningServer = Running & {
  readonly url: string;
  readonly token: string | null;
  /** Whether browsers are given a page: in a clone only once it was built. */
  readonly hasPage: boolean;
};

const LEASE_MS = 15_000;
const SWEEP_MS = 500;
const ARTIFACT_BYTES = 20 * 1_024 ** 3;

/** The server: store, driver and API in one process, with workers unless `pools` is empty. */
export async function startServer(settings: ServerSettings): Promise<RunningServer> {
  const { dataFolder, version, log } = settings;
  const bell = memoryBell();
  const store = await openStore(settings, bell);
  const own = await openFirstFree({ folder: join(dataFolder, 'drivers'), host: hostname(), name: 'driver' });
  const world = worldOf(settings.environment, artifactsFor(settings, `server.${own.name}`));
  const inventory = createInventory({ ...world, environment: settings.environment });
  const ports: OperationPorts = { ...portsOf(store, world, { inventory, plugins: settings.plugins }), bell };
  const stopping = new AbortController();
  const driver = startDriver(ports, { own, log }, stopping.signal);
  const schedule = new DriftSchedule({
    ports,
    onFault: (place, fault) => log(place ? `no look at ${place}` : 'the schedule of looks failed', fault),
  });
  const looking = settings.schedules ? schedule.run(stopping.signal) : undefined;
  const page = await builtPage();
  const api = apiServer({
    ports,
    version,
    ...(page && { page }),
    onFault: (fault, request) => log(`request ${request} failed`, fault),
    ...(settings.tls && { tls: settings.tls }),
  });
  const workers = await Promise.all(
    settings.pools.map((pool) => startEmbedded(store.tasks, world, { settings, pool })),
  );
  const stop = async () => {
    await inventory.close();
    await api.close();
    await Promise.all(workers.map((worker) => worker.stop()));
    stopping.abort();
    await Promise.all([driver.ended, looking]);
    await world.close();
    await store.close();
  };
  try {
    const first = await makeFirstToken(ports);
    if (first) await serverFile(dataFolder).keepToken(first.secret);
    const url = await api.listen(settings);
    return { url, token: await serverFile(dataFolder).token(), hasPage: page !== null, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** In the package the page stands beside the program, in a clone where `scripts/page.ts` builds it. */
const PAGE_FOLDERS = ['page', '../web/dist'].map((folder) => join(import.meta.dirname, folder));

async function builtPage(): Promise<Page | null> {
  const pages = await Promise.all(PAGE_FOLDERS.map(readPage));
  return pages.find((page) => page !== null) ?? null;
}

type RunningDriver = { readonly ended: Promise<void> };

function startDriver(
  ports: OperationPorts,
  { own: { id, gone }, log }: Pick<RoleSettings, 'log'> & { readonly own: Incarnation },
  signal: AbortSignal,
): RunningDriver {
  const driver = new Driver(ports, {
    owner: id,
    gone,
    leaseMs: LEASE_MS,
    sweepMs: SWEEP_MS,
    planRollback,
    hashPlan: planHash,
    onFault: (deployment, fault) =>
      log(deployment ? `deployment ${deployment} met a fault` : 'the sweep failed', fault),
  });
  return { ended: driver.run(signal) };
}

/** Processes that share a data folder share its artifacts; `name` is of none but this one. */
function artifactsFor(
  { dataFolder, artifactBytes = ARTIFACT_BYTES, artifactOrigins }: RoleSettings,
  name: string,
): ArtifactSettings {
  const store = {
    folder: join(dataFolder, 'artifacts'),
    owner: `${hostname()}.${name}`,
    limitBytes: artifactBytes,
  };
  return { ...store, ...(artifactOrigins && { origins: artifactOrigins }) };
}

/** A worker in a process of its own: over HTTPS with a pool's token (contract C1), or on the store itself. */
export async function startWorker(settings: WorkerRoleSettings): Promise<Running> {
  const { name, dataFolder } = settings;
  const incarnation = await openIncarnation({ folder: workersIn(dataFolder), host: hostname(), name });
  const { board, close } = await boardFor(settings);
  const { remote } = settings;
  const world = worldOf(settings.environment, {
    ...artifactsFor(settings, `worker.${name}`),
    ...(remote && { server: { url: remote.server, token: remote.token } }),
  });
  const worker = runWorker(board, world, { ...settings, incarnation });
  return {
    stop: async () => {
      await worker.stop();
      await world.close();
      await close();
    },
  };
}

async function boardFor(settings: WorkerRoleSettings): Promise<{ board: TaskBoard; close(): Promise<void> }> {
  const { remote } = settings;
  if (remote) return { board: httpTaskBoard(edgeClient(remote)), close: async () => {} };
  const store = await openStore(settings, memoryBell());
  return { board: store.tasks, close: store.close };
}

function openStore({ store, dataFolder, environment }: RoleSettings, bell: Bell): Promise<Store> {
  if (store === undefined) return openSqliteStore({ folder: dataFolder, bell });
  const address = parseStoreAddress(store);
  const isSet = (name: string) => Boolean(environment[name]);
  const endpoint = () => endpointOf(address, systemSecrets(environment), isSet);
  return openMysqlStore({ endpoint, bell, clock: systemClock, random: systemFraction });
}

const workersIn = (dataFolder: string): string => join(dataFolder, 'workers');

/** Several servers may share a data folder: each takes the first free name, so that its successor can prove it gone. */
async function startEmbedded(
  board: TaskBoard,
  world: World,
  { settings, pool }: { settings: ServerSettings; pool: string },
): Promise<Running> {
  const incarnation = await openFirstFree({
    folder: workersIn(settings.dataFolder),
    host: hostname(),
    name: `server-${pool}`,
  });
  return runWorker(board, world, { ...settings, incarnation, pool });
}

type Work = Pick<WorkerRoleSettings, 'pool' | 'slots' | 'log' | 'plugins'> & {
  readonly incarnation: Incarnation;
};

const LOGGED = new Set(['board.silent', 'task.refused', 'member.kept-out', 'keeping.hindered']);

function runWorker(
  board: TaskBoard,
  world: World,
  { incarnation, pool, slots, log, plugins }: Work,
): Running {
  const worker = workerId(incarnation.id);
  const gone = incarnation.gone.map(workerId);
  const handlers = bindActions([...COMMON_ACTIONS, ...DATACENTER_ACTIONS, ...actionsOf(plugins)], world);
  const notice = (seen: { readonly kind: string }) => {
    if (LOGGED.has(seen.kind)) log(`worker ${worker}: ${seen.kind}`, seen);
  };
  const role = new Worker(
    { ...WORKER_DEFAULTS, worker, gone, pool, ...(slots !== undefined && { slots }) },
    { board, clock: world.clock, handlers, balancer: world.balancer, notice },
  );
  const stopping = new AbortController();
  const running = role.run(stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

const actionsOf = (plugins: readonly Plugin[] = []) => plugins.flatMap(({ actions }) => actions);

function portsOf(
  { journal, tasks, records, views }: Store,
  world: World,
  { inventory, plugins }: { readonly inventory: Inventory; readonly plugins: readonly Plugin[] | undefined },
): Omit<OperationPorts, 'bell'> {
  const { clock, hosts, balancer, artifacts } = world;
  const ids = sortableIds(clock);
  const beside = {
    ...{ artifacts, random: systemRandom, platform: datacenterWith(actionsOf(plugins)) },
    ...{ simulator: threadedSimulator(), inventory },
  };
  return { journal, board: tasks, records, views, ids, clock, hosts, balancer, ...beside };
}
