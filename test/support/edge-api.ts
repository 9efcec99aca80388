import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryBell } from '../../src/adapters/memory/bell.ts';
import { MemoryHosts } from '../../src/adapters/memory/hosts.ts';
import { createMemoryInventory, type MemoryInventory } from '../../src/adapters/memory/inventory.ts';
import { createMemoryBalancer, type MemoryBalancer } from '../../src/adapters/memory/load-balancer.ts';
import { openMemoryStore } from '../../src/adapters/memory/store.ts';
import type { Store } from '../../src/adapters/sql/ports.ts';
import { systemRandom } from '../../src/adapters/system/random.ts';
import { type ClientOptions, type EdgeClient, edgeClient } from '../../src/api/client.ts';
import { type ApiServer, apiServer, type ServerOptions } from '../../src/api/server.ts';
import type { GuardOutputs, HeldMember } from '../../src/domain/capacity.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { commandId, type DeploymentId, deploymentId, workerId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Role } from '../../src/domain/permission.ts';
import { Driver } from '../../src/engine/driver.ts';
import type { OperationPorts } from '../../src/operations/ports.ts';
import { makeFirstToken } from '../../src/operations/tokens.ts';
import { planHash } from '../../src/plan/hash.ts';
import { planRollback } from '../../src/plan/rollback.ts';
import { datacenter } from '../../src/platforms/datacenter/plan.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { HostFacts } from '../../src/ports/hosts.ts';
import type { ClaimedTask } from '../../src/ports/task-board.ts';
import { threadedSimulator } from '../../src/simulation/plan/threads.ts';
import { environment, project, projectEnvironment, targets } from '../fixtures/configuration.ts';
import { artifactsIn } from './artifacts.ts';
import { CAPABILITIES } from './capabilities.ts';

/** A whole Edge in one process on the store in memory: API over a real socket, engine, and a worker that is played. */
export type EdgeApi = {
  readonly url: string;
  readonly store: Store;
  readonly ports: OperationPorts;
  readonly server: ApiServer;
  readonly balancer: MemoryBalancer;
  readonly inventory: MemoryInventory;
  readonly faults: unknown[];
  readonly folder: string;
  readonly admin: EdgeClient;
  readonly adminToken: string;
  readonly time: { now: number };
  /** Hosts that `doctor` cannot reach, or what they lack. */
  readonly hosts: Map<string, Partial<HostFacts> | EdgeError>;
  /** Hosts that `trust` asks for their keys. */
  readonly shown: MemoryHosts;
  client(token: string, more?: Partial<ClientOptions>): EdgeClient;
  token(
    role: Role,
    more?: { readonly name?: string; readonly pool?: string; readonly expiresAt?: number },
  ): Promise<string>;
  /** Project `web` in `production` with this many targets behind the pool `web`, and the releases. */
  configure(count: number, versions?: readonly string[]): Promise<void>;
  /** Engine and workers, in turns, until nothing is left to do. `outcome`: what a task ends with; default: it is done; `open`: not yet. */
  work(outcome?: (task: ClaimedTask) => Result | 'open' | undefined): Promise<void>;
  /** One turn of the engine alone. */
  drive(): Promise<void>;
  deploy(version: string): Promise<DeploymentId>;
};
type Result = Exclude<Outcome, { kind: 'wait' }>;

const WORKER = workerId('test/worker/1');
const FACTS: HostFacts = {
  identity: { bootId: 'b', hostId: 'h' },
  system: 'Linux',
  missing: [],
  freeBytes: 10_000_000_000,
};

/** Runs a test with an Edge of its own. */
export function withEdgeApi(
  body: (edge: EdgeApi) => Promise<void>,
  options: Partial<ServerOptions> = {},
): () => Promise<void> {
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'edge-api-'));
    const edge = await openEdgeApi(folder, options);
    try {
      await body(edge);
    } finally {
      await edge.server.close();
      await edge.store.close();
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** Artifacts are below `folder`. The caller closes server and store. */
export async function openEdgeApi(folder: string, options: Partial<ServerOptions> = {}): Promise<EdgeApi> {
  const time = { now: 1_800_000_000_000 };
  const bell = memoryBell();
  const store = openMemoryStore({ bell, now: () => time.now, pollMs: 50 });
  const balancer = createMemoryBalancer({ web: targets(50).map(({ name }) => String(name)) });
  const inventory = createMemoryInventory();
  const hosts: EdgeApi['hosts'] = new Map();
  const numbers = Array.from({ length: 100_000 }).keys();
  const next = (prefix: string) => `${prefix}${String(numbers.next().value).padStart(6, '0')}`;
  const clock: Clock = { now: () => time.now, monotonicMs: () => time.now, sleep: untilAborted };
  const shown = new MemoryHosts(clock, () => {
    throw new Error('nothing runs on these hosts');
  });
  const ports: OperationPorts = {
    journal: store.journal,
    board: store.tasks,
    records: store.records,
    views: store.views,
    ids: { deployment: () => deploymentId(next('d')), command: () => commandId(next('c')) },
    clock,
    bell,
    random: systemRandom,
    artifacts: artifactsIn(join(folder, 'artifacts')),
    hosts: {
      facts: async ({ name }) => {
        const seen = hosts.get(name) ?? {};
        if (seen instanceof EdgeError) throw seen;
        return { ...FACTS, ...seen };
      },
      shownKey: (host) => shown.shownKey(host),
    },
    inventory,
    balancer: async () => balancer,
    platform: datacenter,
    simulator: threadedSimulator(1),
  };
  const faults: unknown[] = [];
  const server = apiServer({
    ports,
    version: '0.0.0-test',
    onFault: (fault) => faults.push(fault),
    ...options,
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const first = await makeFirstToken(ports);
  if (!first) throw new Error('the store is not empty');
  const client: EdgeApi['client'] = (token, more) => edgeClient({ server: url, token, ...more });
  const admin = client(first.secret);
  const driver = new Driver(ports, {
    owner: 'test',
    gone: [],
    leaseMs: 60_000,
    sweepMs: 50,
    planRollback,
    hashPlan: planHash,
    onFault: (_, fault) => faults.push(fault),
  });
  const token: EdgeApi['token'] = async (role, more) =>
    (
      await admin.createToken({
        name: next(role),
        role,
        ...(role === 'worker' && { pool: 'default' }),
        ...more,
      })
    ).secret;
  const edge = {
    url,
    store,
    ports,
    server,
    balancer,
    inventory,
    faults,
    folder,
    admin,
    adminToken: first.secret,
    time,
    hosts,
    shown,
  };
  return {
    ...edge,
    client,
    token,
    configure: (count, versions = ['1.0.0', '2.0.0']) => configure({ admin, folder }, count, versions),
    drive: async () => void (await driver.sweep()),
    work: (outcome) => work({ store, driver }, outcome),
    deploy: async (version) =>
      (await admin.deploy({ project: 'web', environment: 'production', version, reason: 'test' })).deployment,
  };
}

async function configure(
  { admin, folder }: { readonly admin: EdgeClient; readonly folder: string },
  count: number,
  versions: readonly string[],
): Promise<void> {
  const documents = [project(), environment(), projectEnvironment({ targets: targets(count) })];
  const files = documents.map((document) => ({
    path: `${document.kind}.yaml`,
    text: JSON.stringify(document),
  }));
  await admin.applyConfiguration({ files });
  for (const version of versions) {
    const path = join(folder, `web-${version}.tar.gz`);
    await writeFile(path, `content of ${version}`);
    await admin.createRelease({
      kind: 'release',
      project: 'web',
      version,
      artifacts: [{ name: 'web.tar.gz', path }],
    });
  }
}

type World = { readonly store: Store; readonly driver: Driver };

async function work(
  { store, driver }: World,
  outcome: (task: ClaimedTask) => Result | 'open' | undefined = () => undefined,
): Promise<void> {
  for (let turn = 0; turn < 10_000; turn += 1) {
    // A rollback that an end has made is found by the sweep after it.
    while ((await driver.sweep()) || (await driver.sweep())) {}
    const claimed = await store.tasks.claim(CLAIM);
    if (claimed.length === 0) return;
    const reports = claimed.flatMap((task) => {
      const end = outcome(task) ?? {
        kind: 'done' as const,
        outputs: task.step === 'guard' ? { ...seen(task) } : {},
      };
      const { task: id, epoch, attempt } = task;
      return end === 'open' ? [] : [{ task: id, epoch, attempt, startedAt: 0, outcome: end }];
    });
    await store.tasks.report(WORKER, reports);
  }
  throw new Error('there is no end of work');
}

const CLAIM = {
  worker: WORKER,
  pool: 'default',
  capabilities: CAPABILITIES,
  max: 1_000,
  leaseMs: 60_000,
  gone: [],
};

/** What a guard sees when all members but those of its own target serve. */
function seen({ target }: ClaimedTask): GuardOutputs {
  const ref = { balancer: 'lb:9999', pool: 'web' };
  const members: readonly HeldMember[] = [
    { ...ref, member: target, asFound: { admin: 'enabled', weight: 1 } },
  ];
  return { observed: [{ ...ref, configured: 50, out: [] }], members };
}

/** Time stands still here unless a test moves it, so that nobody who sleeps ever wakes. */
const untilAborted = (_ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
