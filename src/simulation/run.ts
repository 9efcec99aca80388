import { createHash } from 'node:crypto';
import { setImmediate as eventLoop } from 'node:timers/promises';
import { SimBell } from './bell.ts';
import { Cluster } from './cluster.ts';
import { Draw } from './draw.ts';
import { estateOf, settle } from './estate.ts';
import type { Violation } from './eyes.ts';
import type { Fact } from './facts.ts';
import { type FaultKind, Faults } from './faults.ts';
import { Measuring } from './measuring.ts';
import { Nature } from './nature.ts';
import { Observer } from './observer.ts';
import { People } from './people.ts';
import type { RoleParts } from './roles.ts';
import type { Scenario } from './scenario.ts';
import { Schedule } from './schedule.ts';
import { SimStore } from './store.ts';
import { World } from './world.ts';

export type SeedResult = {
  readonly seed: number;
  readonly deployments: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly rolledBack: number;
  /** Deployments that more than one server drove. */
  readonly takeovers: number;
  readonly events: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly checks: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  /** SHA-256 over all that happened: the same for the same scenario, or the run was not deterministic. */
  readonly hash: string;
};

/** After the world has healed, everything must have come to its end within this time. */
const HEALED_LIMIT_MS = 3 * 3_600_000;
const EVENT_LIMIT = 600_000;
/** What is under way when all is done, a late write of a process that was paused, must do no harm either. */
const QUIET_MS = 40_000;
/** One seed in so many also sees rejections that nobody takes. */
const WITH_TURNS = 16;

export type RunOptions = { readonly log?: (atMs: number, fact: Fact) => void };

/** Runs a scenario to its end, with every invariant checked on the way. */
export async function runScenario(scenario: Scenario, { log }: RunOptions = {}): Promise<SeedResult> {
  await eventLoop(); // a run itself never waits for it
  const simulation = await Simulation.begin(scenario, log);
  return simulation.run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #schedule: Schedule;
  readonly #faults: Faults;
  readonly #observer: Observer;
  readonly #store: SimStore;
  readonly #people: People;
  readonly #cluster: Cluster;
  readonly #hash: ReturnType<typeof createHash>;

  private constructor(parts: {
    scenario: Scenario;
    schedule: Schedule;
    faults: Faults;
    observer: Observer;
    store: SimStore;
    people: People;
    cluster: Cluster;
    hash: ReturnType<typeof createHash>;
  }) {
    this.#scenario = parts.scenario;
    this.#schedule = parts.schedule;
    this.#faults = parts.faults;
    this.#observer = parts.observer;
    this.#store = parts.store;
    this.#people = parts.people;
    this.#cluster = parts.cluster;
    this.#hash = parts.hash;
  }

  static async begin(scenario: Scenario, log: RunOptions['log']): Promise<Simulation> {
    const draw = new Draw(scenario.seed ^ 0x5f3759df);
    const schedule = new Schedule(draw.fork(), scenario.seed % WITH_TURNS === 0 ? 'turn' : 'tick');
    const { strengths, faultsUntilMs } = scenario;
    const faults = new Faults({ schedule, draw: draw.fork(), strengths, untilMs: faultsUntilMs });
    const hash = createHash('sha256');
    const tell = (fact: Fact): void => {
      hash.update(`${schedule.nowMs} ${fact.kind} ${'target' in fact ? fact.target : ''}\n`);
      log?.(schedule.nowMs, fact);
      measuring.see(fact);
      observer.see(fact);
    };
    const bell = new SimBell({ schedule, faults, draw: draw.fork() });
    const store = new SimStore({ schedule, faults, draw: draw.fork(), bell, tell });
    const estate = estateOf(scenario);
    const ofMetrics = new Draw(scenario.seed ^ 0x6a09e667);
    const measuring = new Measuring({ scenario, schedule, draw: ofMetrics, faults, ...estate });
    const sight = { scenario, schedule, store: store.truth, faults, measuring };
    const observer = new Observer({ ...sight, world: () => world });
    const world: World = new World(scenario, { schedule, draw: draw.fork(), faults, tell, ...estate });
    await settle(store.truth, scenario, estate);
    const cutOff = new Set<string>();
    const around = { schedule, faults, world, measuring, cutOff };
    const parts: RoleParts = { ...around, draw: draw.fork(), store, bell, tell };
    const cluster = new Cluster(scenario, parts);
    const people = new People({ scenario, schedule, draw: draw.fork(), faults, cluster, store, tell, world });
    observer.retriesBy = people.retries;
    const isBusy = () => observer.active > 0;
    new Nature({ scenario, schedule, draw: draw.fork(), faults, world, cluster, store, cutOff, isBusy });
    return new Simulation({ scenario, schedule, faults, observer, store, people, cluster, hash });
  }

  async run(): Promise<SeedResult> {
    const endMs = this.#scenario.faultsUntilMs + HEALED_LIMIT_MS;
    let doneAtMs: number | null = null;
    for (;;) {
      await this.#schedule.step();
      if (this.#observer.violations.length > 0) break;
      const { nowMs, events } = this.#schedule;
      if (this.#observer.active === 0 && !this.#people.areAsking) this.#faults.end();
      if (!this.#isDone()) doneAtMs = null;
      else doneAtMs ??= nowMs;
      if (doneAtMs !== null && nowMs > Math.max(doneAtMs, this.#cluster.pausedUntilMs) + QUIET_MS) {
        this.#observer.checkEnd();
        break;
      }
      if (nowMs > endMs || events > EVENT_LIMIT) {
        this.#observer.violate(
          'I7',
          `it has not come to its end ${Math.round((nowMs - this.#scenario.faultsUntilMs) / 1_000)} s after the world healed (${events} events): ${this.#observer.unfinished()}`,
        );
        break;
      }
    }
    const result = this.#result();
    await this.#store.truth.close();
    return result;
  }

  #isDone(): boolean {
    return this.#faults.areOver && this.#observer.active === 0 && this.#people.areDone;
  }

  #result(): SeedResult {
    const observer = this.#observer;
    const kinds = [...this.#faults.counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      seed: this.#scenario.seed,
      ...observer.summary(),
      events: this.#schedule.events,
      faults: Object.fromEntries(kinds) as Record<FaultKind, number>,
      checks: observer.checks(),
      violations: observer.violations,
      hash: this.#hash.update(observer.digest()).digest('hex'),
    };
  }
}
