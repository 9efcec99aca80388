import type { Life } from './life.ts';
import { type RoleParts, type Running, type RunningServer, startServer, startWorker } from './roles.ts';
import type { Scenario } from './scenario.ts';

/** Where a process belongs: it is always started again under the same place, with a new incarnation. */
type Place = {
  readonly name: string;
  readonly pool: string | null;
  readonly hostsWorkers: readonly string[];
};
type Slot = { readonly place: Place; incarnation: number; running: Running | null; isStopping: boolean };

/** How long a process that was asked to stop may take before it is killed, as a service manager does. */
const STOP_LIMIT_MS = 15_000;

/** All of Edge's processes, and who starts them again when they have died. */
export class Cluster {
  readonly #parts: RoleParts;
  readonly #slots: Slot[] = [];

  constructor(scenario: Scenario, parts: RoleParts) {
    this.#parts = parts;
    for (const place of placesOf(scenario)) {
      const slot: Slot = { place, incarnation: 0, running: null, isStopping: false };
      this.#slots.push(slot);
      this.#start(slot, []);
    }
  }

  get servers(): readonly RunningServer[] {
    return this.#slots.flatMap(({ place, running }) =>
      place.pool === null && running?.life.isAlive ? [running as RunningServer] : [],
    );
  }

  get workers(): readonly Running[] {
    return this.#slots.flatMap(({ place, running }) =>
      place.pool !== null && running?.life.isAlive ? [running] : [],
    );
  }

  get all(): readonly Running[] {
    return this.#slots.flatMap(({ running }) => (running?.life.isAlive ? [running] : []));
  }

  /** When the last of them that is paused goes on. */
  get pausedUntilMs(): number {
    return Math.max(0, ...this.all.map(({ life }) => life.pausedUntilMs));
  }

  /** Lets one come to a safe point and end, as an upgrade does; who does not is killed. */
  stop(running: Running): void {
    const slot = this.#slots.find((one) => one.running === running);
    if (!slot || slot.isStopping) return;
    slot.isStopping = true;
    running.stop();
    this.#parts.schedule.after(STOP_LIMIT_MS, () => running.life.crash());
  }

  #start(slot: Slot, gone: readonly string[]): void {
    const { place } = slot;
    slot.incarnation += 1;
    slot.isStopping = false;
    const name = `${place.name}.${slot.incarnation}`;
    const running =
      place.pool === null ? this.#startServer(place, name, gone) : this.#startWorker(place, name, gone);
    slot.running = running;
    running.life.onDeath = () => this.#died(slot, name, running.life);
    // It may have died of its very first call.
    if (!running.life.isAlive) this.#died(slot, name, running.life);
  }

  #startServer(place: Place, name: string, gone: readonly string[]): RunningServer {
    const server = startServer(this.#parts, name, gone);
    const ofWorker = (pool: string) => (owner: string) => `${owner}/${pool}`;
    for (const pool of place.hostsWorkers) {
      const asWorker = ofWorker(pool);
      startWorker(
        this.#parts,
        { name: asWorker(name), gone: gone.map(asWorker), pool, server },
        () => this.servers,
      );
    }
    return server;
  }

  #startWorker({ pool }: Place, name: string, gone: readonly string[]): Running {
    if (pool === null) throw new Error('a worker without a pool');
    return startWorker(this.#parts, { name, gone, pool, server: null }, () => this.servers);
  }

  /** The successor on the same machine proves its death; one on another machine cannot. */
  #died(slot: Slot, name: string, life: Life): void {
    const { schedule, faults, draw } = this.#parts;
    const isUnproven = faults.strikes('death.unproven');
    life.hasHungUp = !isUnproven;
    schedule.after(draw.skewed(200, 30_000), () => this.#start(slot, isUnproven ? [] : [name]));
  }
}

function placesOf({ servers, zones, embedded }: Scenario): readonly Place[] {
  const hostsWorkers = (embedded === 'all' ? zones : embedded ? zones.slice(0, 1) : []).map(
    ({ name }) => name,
  );
  const ofServers = Array.from(
    { length: servers },
    (_, n): Place => ({ name: `server-${n + 1}`, pool: null, hostsWorkers }),
  );
  const ofWorkers = zones.flatMap(({ name, workers }) =>
    Array.from({ length: hostsWorkers.includes(name) ? 0 : workers }, (_, n): Place => {
      return { name: `${name}-worker-${n + 1}`, pool: name, hostsWorkers: [] };
    }),
  );
  return [...ofServers, ...ofWorkers];
}
