import type { Draw } from './draw.ts';
import type { Schedule } from './schedule.ts';

/**
 * What can go wrong, by the part that it meets. Those of calls happen with a chance at each call; those of the world
 * happen to something that is being worked on; how often is the scenario's.
 */
export const FAULT_KINDS = [
  // The store, and the way to it
  'store.slow',
  'store.refused',
  'store.request-lost',
  'commit.reply-lost',
  'store.outage',
  'store.failover',
  'view.stale',
  // The doorbell
  'bell.lost',
  'bell.twice',
  'bell.late',
  // Between workers and servers
  'board.slow',
  'board.request-lost',
  'board.reply-lost',
  'board.cut-off',
  'board.half-report',
  // Processes
  'crash.before-call',
  'crash.after-call',
  'server.crash',
  'worker.crash',
  'process.stops',
  'process.pause',
  'server.pause',
  'clock.skew',
  'death.unproven',
  // Hosts
  'host.slow',
  'host.refused',
  'host.half-open',
  'host.cut',
  'host.reboot',
  'host.wiped',
  'host.supervisor-killed',
  'host.disk-full',
  'host.gone',
  'command.slow',
  'command.fails',
  'command.ignores-term',
  // The application
  'service.slow-start',
  'service.flaps',
  'service.sick',
  'service.dies',
  // Balancers
  'balancer.slow',
  'balancer.queues',
  'balancer.refused',
  'balancer.reply-lost',
  'balancer.request-lost',
  'balancer.forgets-drains',
  'balancer.edited',
  'balancer.monitor-late',
  'connections.stay',
  // Sources of metrics
  'metrics.false-alarm',
  'metrics.noisy',
  'metrics.absent',
  'metrics.gaps',
  'metrics.late',
  'metrics.unreachable',
  'metrics.refused',
  // People
  'person.aborts',
  'person.pauses',
  'person.resumes',
  'person.retries',
  'person.skips',
  'person.rolls-back',
  'person.deploys-too',
  'person.edits',
  'person.runs-commands',
  'person.is-late',
  'person.resolves',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
/** For each kind that exists in a scenario, the chance that it strikes where it can. */
export type Strengths = { readonly [K in FaultKind]?: number };

/** What a fault meets: the first word of its kind. */
type PartOf<Kind> = Kind extends `${infer Part}.${string}` ? Part : never;
export type FaultPart = PartOf<FaultKind>;

/** Decides which faults strike, and counts those that met something. After `untilMs` none does: then the world heals. */
export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #schedule: Schedule;
  readonly #draw: Draw;
  readonly #strengths: Strengths;
  readonly #struckAtMs = new Map<FaultKind, number>();
  #untilMs: number;

  constructor(parts: { schedule: Schedule; draw: Draw; strengths: Strengths; untilMs: number }) {
    this.#schedule = parts.schedule;
    this.#draw = parts.draw;
    this.#strengths = parts.strengths;
    this.#untilMs = parts.untilMs;
  }

  get areOver(): boolean {
    return this.#schedule.nowMs >= this.#untilMs;
  }

  /** Nothing is left that they could meet. */
  end(): void {
    this.#untilMs = Math.min(this.#untilMs, this.#schedule.nowMs);
  }

  strength(kind: FaultKind): number {
    return this.areOver ? 0 : (this.#strengths[kind] ?? 0);
  }

  /** Whether the fault happens here and now; then it counts. */
  strikes(kind: FaultKind): boolean {
    const isStruck = this.#draw.chance(this.strength(kind));
    if (isStruck) this.note(kind);
    return isStruck;
  }

  note(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.lasts(kind, 0);
  }

  /** One that struck now goes on for so long. */
  lasts(kind: FaultKind, ms: number): void {
    const endMs = this.#schedule.nowMs + ms;
    this.#struckAtMs.set(kind, Math.max(endMs, this.#struckAtMs.get(kind) ?? endMs));
  }

  /** When one of these parts was last struck, or will have been to the end of what still lasts. */
  struckAtMs(parts: ReadonlySet<FaultPart>): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const [kind, atMs] of this.#struckAtMs)
      if (parts.has(kind.split('.', 1)[0] as FaultPart)) last = Math.max(last, atMs);
    return last;
  }
}
