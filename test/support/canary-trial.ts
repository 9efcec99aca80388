import { canaryJudge } from '../../src/actions/canary-judge.ts';
import type { MemoryClock } from '../../src/adapters/memory/clock.ts';
import { createMemoryMetrics, type MemoryMetrics } from '../../src/adapters/memory/metrics.ts';
import { createMemoryStatistics, type MemoryStatistics } from '../../src/adapters/memory/statistics.ts';
import { uncountedTraffic } from '../../src/adapters/uncounted/statistics.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { JsonObject } from '../../src/lib/json.ts';
import { Draws } from './draws.ts';
import { type Crash, Trial } from './trial.ts';

export const MINUTE = 60_000;
const URL = 'http://127.0.0.1:9090';
const DEAD = 'http://127.0.0.1:9091';

const server = (name: string, last: number, zone: string) => ({
  ...{ name, address: `10.0.0.${last}`, port: 8080, zone },
});
const WEB_1 = server('web-1', 1, 'a');
const WEB_2 = server('web-2', 2, 'b');
const WEB_8 = server('web-8', 8, 'b');
const WEB_9 = server('web-9', 9, 'a');
export const PAIRS = [
  { canary: WEB_1, baseline: WEB_9 },
  { canary: WEB_2, baseline: WEB_8 },
];
/** What they are behind their balancer, where an analysis has metrics of it. */
export const BEHIND_BALANCER = {
  members: Object.fromEntries(
    ['web-1', 'web-2', 'web-8', 'web-9'].map((name) => [
      name,
      [{ balancer: 'front', pool: 'web', member: name }],
    ]),
  ),
  balancers: { front: { kind: 'haproxy', socket: '/run/haproxy.sock' } },
};
export const COUNTED_ERRORS = { name: 'errors', source: 'balancer' };

const SERVERS = [WEB_1, WEB_2, WEB_8, WEB_9];
export const isCanary = (name: string): boolean => name === 'web-1' || name === 'web-2';

/** What a server says in a minute, counted from the beginning of the judging; nothing where it says nothing. */
export type Course = (server: string, minute: number) => number | undefined;

export const ERRORS = { name: 'errors', source: 'prom', query: 'errors', of: 'requests' };

export const REQUESTS: Course = () => 10_000;
/** About 100 a minute, and on the canary so many times as many from a minute on. */
export const errors =
  (times = 1, from = 0): Course =>
  (server, minute) => {
    const draws = new Draws(minute * 100 + Number(server.at(-1)) + 100_000);
    const mean = isCanary(server) && minute >= from ? 100 * times : 100;
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * draws.normal()));
  };
export const counted = (times?: number, from?: number) => ({
  errors: errors(times, from),
  requests: REQUESTS,
});

/** A gauge of about 100, and on the canary so many times as much from a minute on. */
export const heap =
  (times: number, from = 0): Course =>
  (server, minute) => {
    const draws = new Draws(minute * 100 + Number(server.at(-1)) + 100_000);
    return 100 * (1 + 0.1 * draws.normal()) * (isCanary(server) && minute >= from ? times : 1);
  };
export const HEAP = { name: 'heap', source: 'prom', query: 'heap' };

/**
 * One task that judges a canary of two servers, and a source `prom` that has measured five hours of them, and will two more; `dead` never
 * answers. A balancer counts `errors` and `requests` of them in the middle of each minute.
 */
export class CanaryTrial {
  readonly trial: Trial;
  readonly source: MemoryMetrics;
  readonly statistics: MemoryStatistics;
  readonly #inputs: JsonObject;
  /** The warm-up takes a minute. */
  readonly beganMs: number;

  constructor(courses: Readonly<Record<string, Course>>, analysis: JsonObject = {}, inputs: JsonObject = {}) {
    const made: MemoryMetrics[] = [];
    const counting: MemoryStatistics[] = [];
    this.trial = new Trial({
      remainingMs: 4 * 3_600_000,
      metrics: (clock: MemoryClock) => {
        const source = createMemoryMetrics({ clock, timeoutMs: 1_000, delayMs: 20_000 });
        const dead = createMemoryMetrics({ clock, timeoutMs: 1_000, delayMs: 20_000 });
        dead.setReachable(false);
        made.push(source);
        return { [URL]: source, [DEAD]: dead };
      },
      statistics: (clock: MemoryClock) => {
        const haproxy = createMemoryStatistics({ web: SERVERS.map(({ name }) => name) }, clock);
        counting.push(haproxy);
        return { haproxy, f5: uncountedTraffic('F5 BIG-IP') };
      },
    });
    const [[source], [statistics]] = [made, counting];
    if (!source || !statistics) throw new Error('a trial makes its sources at once');
    this.source = source;
    this.statistics = statistics;
    const now = this.trial.clock.now();
    this.beganMs = now + MINUTE;
    this.#inputs = {
      analysis: { metrics: [ERRORS], ...analysis },
      sources: { prom: { kind: 'prometheus', url: URL }, dead: { kind: 'prometheus', url: DEAD } },
      ...{ pairs: PAIRS, since: now - 3 * MINUTE, goOn: [], ...inputs },
    };
    for (const [name, course] of Object.entries(courses)) this.#measure(name, course);
    for (let minute = -1; minute < 120; minute += 1)
      this.trial.at(this.beganMs + (minute + 0.5) * MINUTE - now, () => this.#count(courses, minute));
  }

  #count(courses: Readonly<Record<string, Course>>, minute: number): void {
    for (const { name: member } of SERVERS) {
      const [wrong, all] = [courses.errors?.(member, minute), courses.requests?.(member, minute)];
      if (all !== undefined)
        this.statistics.count({ pool: 'web', member }, { requests: all, errors: wrong ?? 0 });
    }
  }

  /** The value of a minute is measured at its end. */
  #measure(name: string, course: Course): void {
    for (const { name: server, address, port, zone } of SERVERS)
      for (let minute = -300; minute < 120; minute += 1) {
        const value = course(server, minute);
        const atMs = this.beganMs + (minute + 1) * MINUTE;
        if (value === undefined) continue;
        const labels = { instance: `${address}:${port}`, server, zone };
        this.source.put({ name, labels, atMs, value });
      }
  }

  attempt(crash?: Crash): Promise<Outcome> {
    return this.trial.attempt(canaryJudge, this.#inputs, crash ? { crash } : {});
  }

  finish(): Promise<Exclude<Outcome, { kind: 'wait' }>> {
    return this.trial.finish(canaryJudge, this.#inputs);
  }

  /** As many looks, each when it is due. */
  async looks(count: number): Promise<void> {
    for (let look = 0; look < count; look += 1) {
      const outcome = await this.attempt();
      if (outcome.kind !== 'wait') throw new Error(`ended at look ${look + 1}: ${JSON.stringify(outcome)}`);
      await this.trial.clock.advance(outcome.wakeAfterMs);
    }
  }

  get minute(): number {
    return Math.floor((this.trial.clock.now() - this.beganMs) / MINUTE);
  }
}
