import { bindActions, COMMON_ACTIONS } from '../actions/registry.ts';
import { MemoryArtifacts } from '../adapters/memory/artifacts.ts';
import { createMemoryInventory } from '../adapters/memory/inventory.ts';
import { EdgeError } from '../domain/errors.ts';
import { commandId, deploymentId, workerId } from '../domain/ids.ts';
import { Driver } from '../engine/driver.ts';
import type { OperationPorts } from '../operations/ports.ts';
import { planHash } from '../plan/hash.ts';
import { planRollback } from '../plan/rollback.ts';
import { DATACENTER_ACTIONS } from '../platforms/datacenter/actions.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import type { ActionPorts } from '../ports/action.ts';
import type { Bell } from '../ports/bell.ts';
import type { Ids } from '../ports/ids.ts';
import type { LoadBalancer } from '../ports/load-balancer.ts';
import type { TaskBoard } from '../ports/task-board.ts';
import { type KeepingBalancer, keepingBalancer } from '../worker/keeping-balancer.ts';
import { WORKER_DEFAULTS, type WorkerPorts } from '../worker/settings.ts';
import { Worker } from '../worker/worker.ts';
import type { SimBell } from './bell.ts';
import type { Tell } from './facts.ts';
import { Life } from './life.ts';
import { type Link, wired } from './link.ts';
import { type OutsideParts, outsideOf } from './outside.ts';
import { type SimStore, withBell } from './store.ts';

export type RoleParts = OutsideParts & {
  readonly store: SimStore;
  readonly bell: SimBell;
  readonly tell: Tell;
  /** Worker pools that reach no server at this moment. */
  readonly cutOff: ReadonlySet<string>;
  /** How often processes look by themselves for work that no bell told them of. */
  readonly lookMs?: number;
  /** How long workers may be silent before others take what they do. */
  readonly leaseMs?: number;
};

/** A process that is alive now: what nature and people can do to it. */
export type Running = {
  readonly life: Life;
  /** Lets it end as SIGTERM does. */
  readonly stop: () => void;
};

export type RunningServer = Running & { readonly ports: OperationPorts; readonly board: TaskBoard };

const LEASE_MS = 15_000;
/** Longer than in the product: a look costs the simulation as much as the work it finds. */
const LOOK_MS = 5_000;
/** How often keepers ask and look: I20 gives them two of each. */
const KEEP_MS = 3_000;

/** A server: driver and operations, with a connection of its own to the store. */
export function startServer(parts: RoleParts, name: string, gone: readonly string[]): RunningServer {
  const life = new Life(name, parts.schedule);
  const bell = parts.bell.of(life);
  const ids = idsOf(name);
  const store = parts.store.of(life, bell);
  const { hosts, balancer, clock } = outsideOf(life, parts);
  const driver = new Driver(
    { journal: store.journal, bell, ids },
    {
      owner: name,
      gone,
      leaseMs: LEASE_MS,
      sweepMs: parts.lookMs ?? LOOK_MS,
      planRollback,
      hashPlan: planHash,
      onFault: (_deployment, fault) => noteFault(parts.tell, name, fault),
    },
  );
  const stop = new AbortController();
  void driver.run(stop.signal);
  const ports: OperationPorts = {
    ...{ journal: store.journal, board: store.tasks, records: store.records, views: store.views },
    ...{ ids, clock, bell, hosts, balancer, platform: datacenter, inventory: createMemoryInventory() },
    random: { bytes: (count) => new Uint8Array(count) },
    // A simulation simulates no plans.
    simulator: { simulate: () => Promise.reject(new EdgeError('internal', 'a simulation in a simulation')) },
    artifacts: new MemoryArtifacts((place) => ({ sha256: sha256Of(place), sizeBytes: 1_000 })),
  };
  return { life, ports, board: store.tasks, stop: () => stop.abort() };
}

/** What the operations and drivers met that is not of the world is a fault of Edge's own. */
export function noteFault(tell: Tell, where: string, fault: unknown): void {
  if (fault instanceof EdgeError && fault.code !== 'internal') return;
  const message = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  tell({ kind: 'fault.internal', where, message });
}

/** Each name has a file of its own; its digest is its name, padded. */
export const sha256Of = (path: string): string =>
  Buffer.from(path).toString('hex').slice(-64).padStart(64, '0');

function idsOf(owner: string): Ids {
  let made = 0;
  const next = (): string => {
    made += 1;
    return `${owner}-${String(made).padStart(4, '0')}`;
  };
  return { deployment: () => deploymentId(next()), command: () => commandId(next()) };
}

export type WorkerPlace = {
  readonly name: string;
  readonly gone: readonly string[];
  readonly pool: string;
  /** `null`: in a process of its own, over the network to whichever server answers. */
  readonly server: RunningServer | null;
};

/** A worker, in the server's process or in its own. */
export function startWorker(
  parts: RoleParts,
  place: WorkerPlace,
  servers: () => readonly RunningServer[],
): Running {
  const life = place.server?.life ?? new Life(place.name, parts.schedule);
  const bell = parts.bell.of(life);
  const board = place.server
    ? withBell(place.server.board, bell, parts.lookMs)
    : boardOver(parts, { life, bell, pool: place.pool, servers });
  const outside = outsideOf(life, parts);
  const balancer = keeping(outside.balancer, life);
  const handlers = bindActions([...COMMON_ACTIONS, ...DATACENTER_ACTIONS], { ...outside, balancer });
  const worker = new Worker(
    {
      ...WORKER_DEFAULTS,
      worker: workerId(place.name),
      gone: place.gone.map(workerId),
      pool: place.pool,
      idleMs: parts.lookMs ?? LOOK_MS,
      slots: 16,
      keeping: { askMs: KEEP_MS, quickMs: KEEP_MS, slowMs: KEEP_MS },
      ...(parts.leaseMs !== undefined && { leaseMs: parts.leaseMs }),
    },
    {
      board,
      clock: life.clock,
      handlers,
      balancer,
      notice: (notice) => {
        if (notice.kind === 'task.refused') noteFault(parts.tell, place.name, notice.error);
      },
    },
  );
  const stop = new AbortController();
  void worker.run(stop.signal);
  return { life, stop: () => stop.abort() };
}

/** As the product has them: one for each device and worker. */
function keeping(balancer: ActionPorts['balancer'], { clock }: Life): WorkerPorts['balancer'] {
  const devices = new Map<LoadBalancer, KeepingBalancer>();
  return async (config) => {
    const device = await balancer(config);
    const known = devices.get(device) ?? keepingBalancer(device, clock);
    devices.set(device, known);
    return known;
  };
}

type Remote = {
  readonly life: Life;
  readonly bell: Bell;
  readonly pool: string;
  readonly servers: () => readonly RunningServer[];
};

/** The board as a worker in a process of its own has it: any server answers for the store, if it is alive. */
function boardOver(parts: RoleParts, { life, bell, pool, servers }: Remote): TaskBoard {
  const { schedule, faults, draw, store } = parts;
  const link: Link = {
    code: 'server_unreachable',
    deadlineMs: 15_000,
    trip: () => {
      const requestMs = faults.strikes('board.slow') ? draw.skewed(50, 8_000) : draw.int(1, 10);
      const way = { requestMs, replyMs: draw.int(1, 10) };
      if (parts.cutOff.has(pool)) {
        faults.note('board.cut-off');
        return { ...way, lost: draw.chance(0.5) ? 'request' : 'refused' };
      }
      if (servers().length === 0) return { ...way, lost: 'refused' };
      if (faults.strikes('board.request-lost')) return { ...way, lost: 'request' };
      return faults.strikes('board.reply-lost') ? { ...way, lost: 'reply' } : way;
    },
  };
  /** Whoever is alive when the request arrives; one that is paused then sees it, and does it, when it goes on. */
  const answered = <T>(ask: (board: TaskBoard) => Promise<T>): Promise<T> => {
    const alive = servers();
    if (alive.length === 0) throw new EdgeError('server_unreachable', 'no server answers');
    const server = draw.pick(alive);
    return server.life.enter(() => ask(server.board));
  };
  const far: TaskBoard = {
    claim: async (request) => answered((board) => board.claim(request)),
    renew: async (worker, tasks) => answered((board) => board.renew(worker, tasks)),
    report: async (worker, reports) => answered((board) => board.report(worker, reports)),
    keepOut: async (request) => answered((board) => board.keepOut(request)),
    appendOutput: async (worker, chunks) => answered((board) => board.appendOutput(worker, chunks)),
    waitForWork: store.truth.tasks.waitForWork,
  };
  return withBell(wired(far, { schedule, faults, life, link }), bell, parts.lookMs);
}
