import type { StoredEventRow } from '../../../src/api/contract.ts';

/** One attempt of one step on one target. Times are ms since the epoch; `to` is `null` while it goes on. */
export type Span = {
  readonly step: number;
  readonly attempt: number;
  readonly from: number;
  to: number | null;
  outcome: 'running' | 'succeeded' | 'failed' | 'retried' | 'unknown' | 'ended';
};

/** A pool of a balancer that the deployment takes members from. */
export type PoolLane = {
  readonly balancer: string;
  readonly pool: string;
  /** How many of them were out from when on. */
  readonly taken: { readonly at: number; readonly out: number }[];
};

/**
 * What was done on each target and when, gathered from events in their order. It grows in place: a deployment of thousands of targets has
 * tens of thousands of spans, and each is looked at again at every frame.
 */
export class Lanes {
  /** By the index of the target in the plan. */
  readonly spans: Span[][] = [];
  /** By `<balancer>/<pool>`. */
  readonly pools = new Map<string, PoolLane>();
  readonly batches = new Map<string, { from: number; to: number | null }>();
  readonly #held = new Map<number, readonly PoolRef[]>();
  #stage = 0;

  add({ at, event }: Pick<StoredEventRow, 'at' | 'event'>): void {
    switch (event.kind) {
      case 'stage.opened':
        this.#stage = event.stage;
        return;
      case 'batch.opened':
        this.batches.set(`${this.#stage}/${event.lane}/${event.batch}`, { from: at, to: null });
        return;
      case 'batch.ended': {
        const batch = this.batches.get(`${this.#stage}/${event.lane}/${event.batch}`);
        if (batch) batch.to = at;
        return;
      }
      case 'tasks.granted':
        for (const [n, target] of event.targets.entries())
          this.#open(target, { step: event.steps[n] ?? 0, attempt: 1, from: at });
        return;
      case 'task.succeeded':
        this.#close(event.target, at, 'succeeded');
        return;
      case 'task.failed':
        this.#close(event.target, at, 'failed');
        return;
      case 'task.retried':
        this.#close(event.target, at, 'retried');
        this.#open(event.target, { step: event.step, attempt: event.attempt + 1, from: event.wakeAt });
        return;
      case 'task.unknown':
        this.#close(event.target, at, 'unknown');
        return;
      case 'target.failed':
      case 'target.skipped':
        this.#close(event.target, at, 'ended');
        return;
      case 'capacity.taken':
        this.#held.set(event.target, event.members);
        for (const member of event.members) this.#count(member, at, 1);
        return;
      case 'capacity.given':
        for (const member of this.#held.get(event.target) ?? []) this.#count(member, at, -1);
        this.#held.delete(event.target);
        return;
      default:
        return;
    }
  }

  /** When the step was begun that an event of this time ended; `undefined` if none was. */
  begunAt(target: number, at: number): number | undefined {
    return this.spans[target]?.findLast(({ to }) => to === at)?.from;
  }

  #open(target: number, { step, attempt, from }: Pick<Span, 'step' | 'attempt' | 'from'>): void {
    const spans = this.spans[target] ?? [];
    spans.push({ step, attempt, from, to: null, outcome: 'running' });
    this.spans[target] = spans;
  }

  #close(target: number, at: number, outcome: Span['outcome']): void {
    const span = this.spans[target]?.findLast(({ to }) => to === null);
    if (span) Object.assign(span, { to: Math.max(at, span.from), outcome });
  }

  #pool({ balancer, pool }: PoolRef): PoolLane {
    const key = `${balancer}/${pool}`;
    const lane = this.pools.get(key) ?? { balancer, pool, taken: [] };
    this.pools.set(key, lane);
    return lane;
  }

  #count(member: PoolRef, at: number, change: number): void {
    const { taken } = this.#pool(member);
    taken.push({ at, out: Math.max(0, (taken.at(-1)?.out ?? 0) + change) });
  }
}

type PoolRef = { readonly balancer: string; readonly pool: string };
