import type { DeploymentId, PlanHash } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import type { RecordVersion } from '../domain/records.ts';
import { isTerminal } from '../domain/status.ts';
import { DRIVER_TOPIC } from '../domain/topics.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { Bell } from '../ports/bell.ts';
import type { Ids } from '../ports/ids.ts';
import type { Journal, Lease, Lot } from '../ports/journal.ts';
import type { PlanRollback } from './advance.ts';
import { evolve } from './evolve.ts';
import { type Model, modelOf } from './model.ts';
import { Setbacks } from './setbacks.ts';
import { type DeploymentState, initialState, restoredState } from './state.ts';
import { turn } from './turn.ts';

export type DriverPorts = { readonly journal: Journal; readonly bell: Bell; readonly ids: Ids };
export type DriverOptions = {
  /** Names this process in leases; unique per incarnation. */
  readonly owner: string;
  /** Earlier owners that are proven to be gone: what they drove is taken over at once (contract C9). */
  readonly gone: readonly string[];
  readonly leaseMs: number;
  /** How often to look for due work when no bell rings. */
  readonly sweepMs: number;
  readonly planRollback: PlanRollback;
  readonly hashPlan: (plan: Plan) => PlanHash;
  /** Told of every fault that a turn met; the next sweep tries again. */
  readonly onFault: (deployment: DeploymentId | null, fault: unknown) => void;
};

const LOT = 512;
const SIDE_BY_SIDE = 16;
/** After so many turns the lease is looked at again. */
const TURNS = 64;
/** A snapshot costs as much as its targets, so that a large deployment makes fewer: after so many events, or so many a target. */
const SNAPSHOT_EVERY = { events: 5_000, perTarget: 4 };
/** So many deployments are kept in memory; the others are loaded when they have something to do. */
const KEPT = 64;

/**
 * `more`: there is more to do at once. `successor`: a rollback was made that nobody drives yet. `done`: that was all, until
 * somebody rings. `nothing`: there was nothing to do.
 */
type Progress = 'more' | 'successor' | 'done' | 'nothing';
type Loaded = {
  model: Model;
  state: DeploymentState;
  version: number;
  snapshotAt: number;
  changed?: readonly RecordVersion[];
};

/**
 * The one committing driver (contract C2): takes what is due, decides in memory, commits once. It holds nothing that the
 * journal does not have; whatever happens to it, another takes over from the log.
 */
export class Driver {
  readonly #ports: DriverPorts;
  readonly #options: DriverOptions;
  readonly #loaded = new Map<DeploymentId, Loaded & { epoch: number }>();
  readonly #setbacks = new Setbacks();

  constructor(ports: DriverPorts, options: DriverOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Runs until the signal aborts, and leaves all to others then. The sweep finds what no bell has told of (M8). */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isBusy = await this.sweep().catch((fault: unknown) => {
        this.#options.onFault(null, fault);
        return false;
      });
      if (!isBusy) await this.#ports.bell.wait(DRIVER_TOPIC, this.#options.sweepMs, signal);
    }
    // Without an answer the leases run out by themselves.
    await this.#ports.journal
      .release(this.#options.owner)
      .catch((fault: unknown) => this.#options.onFault(null, fault));
  }

  /** Drives what is due now, each deployment until it rests. Says whether there is more to do at once. */
  async sweep(): Promise<boolean> {
    const { owner, gone, leaseMs } = this.#options;
    const wanted = { owner, gone, leaseMs, limit: SIDE_BY_SIDE, lot: LOT };
    const acquired = await this.#ports.journal.acquire(wanted);
    const lots = new Map(acquired.map(({ lease, lot }) => [lease.deployment, lot]));
    const due = this.#setbacks.due(acquired.map(({ lease }) => lease));
    const made = new Set<Progress>();
    await forEachLimited(due, SIDE_BY_SIDE, async (lease) => {
      made.add(await this.#drive(lease, lots.get(lease.deployment)));
    });
    const areOthersLeft = acquired.length === SIDE_BY_SIDE && made.has('done');
    return made.has('more') || made.has('successor') || areOthersLeft;
  }

  async #drive(lease: Lease, acquired: Lot | undefined): Promise<Progress> {
    try {
      let last = await this.#turn(lease, acquired);
      for (let turns = 1; turns < TURNS && last === 'more'; turns += 1) last = await this.#turn(lease);
      this.#setbacks.overcome(lease.deployment);
      return last;
    } catch (fault) {
      this.#loaded.delete(lease.deployment);
      this.#setbacks.met(lease, fault);
      this.#options.onFault(lease.deployment, fault);
      return 'nothing';
    }
  }

  /**
   * One lot, one commit. What comes in meanwhile rings the bell, so nobody looks again in vain. The lot that came with the lease
   * is older than a state that is loaded only now, which may have its commands already: it goes with a kept state alone.
   */
  async #turn(lease: Lease, acquired?: Lot): Promise<Progress> {
    const { journal, ids } = this.#ports;
    const kept = this.#keptUnder(lease);
    const loaded = kept ?? (await this.#load(lease));
    const lot = (kept && acquired) ?? (await journal.read(lease, LOT));
    const { planRollback, hashPlan } = this.#options;
    const rollback = { id: ids.deployment(), plan: planRollback, hash: hashPlan };
    const { state, commit } = turn({ ...loaded, lot, rollback });
    if (commit.events.length === 0 && commit.handled.length === 0) return 'nothing';
    const version = loaded.version + commit.events.length;
    const isSnapshot = version - loaded.snapshotAt >= snapshotAfter(loaded.model);
    const done = await journal.commit(lease, isSnapshot ? { ...commit, snapshot: state } : commit);
    if (done.kind === 'stale') return 'more';
    if (done.kind === 'outdated') {
      this.#keep(lease, { ...loaded, changed: done.changed });
      return 'more';
    }
    if (done.kind === 'committed' && !isTerminal(state.status)) {
      this.#keep(lease, { ...loaded, state, version, snapshotAt: isSnapshot ? version : loaded.snapshotAt });
    } else {
      this.#loaded.delete(lease.deployment);
    }
    if (done.kind === 'lost') return 'nothing';
    if (commit.successor) return 'successor';
    return lot.more ? 'more' : 'done';
  }

  /** What another driver has taken over since would stay here for ever: the longest unused goes. */
  #keep(lease: Lease, loaded: Loaded): void {
    this.#loaded.delete(lease.deployment);
    this.#loaded.set(lease.deployment, { ...loaded, epoch: lease.epoch });
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size > KEPT && oldest !== undefined) this.#loaded.delete(oldest);
  }

  /** The state in memory is good only for the epoch that it was made under. */
  #keptUnder(lease: Lease): Loaded | undefined {
    const kept = this.#loaded.get(lease.deployment);
    return kept?.epoch === lease.epoch ? kept : undefined;
  }

  async #load(lease: Lease): Promise<Loaded> {
    const { plan, snapshot, events } = await this.#ports.journal.load(lease.deployment);
    const model = modelOf(lease.deployment, plan);
    const start = snapshot ? restoredState(snapshot.state) : initialState(model);
    const state = events.reduce((before, { event }) => evolve(model, before, event), start);
    const version = events.at(-1)?.version ?? snapshot?.version ?? 0;
    const loaded = { model, state, version, snapshotAt: snapshot?.version ?? 0 };
    this.#keep(lease, loaded);
    return loaded;
  }
}

function snapshotAfter({ plan }: Model): number {
  return Math.max(SNAPSHOT_EVERY.events, SNAPSHOT_EVERY.perTarget * plan.targets.length);
}
