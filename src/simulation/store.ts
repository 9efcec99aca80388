import { type MemoryStore, openMemoryStore } from '../adapters/memory/store.ts';
import type { Bell } from '../ports/bell.ts';
import type { Journal } from '../ports/journal.ts';
import type { Report, TaskBoard } from '../ports/task-board.ts';
import type { Views } from '../ports/views.ts';
import type { SimBell } from './bell.ts';
import type { Draw } from './draw.ts';
import type { Tell } from './facts.ts';
import type { Faults } from './faults.ts';
import { EPOCH_MS, type Life } from './life.ts';
import { type Link, type Trip, wired } from './link.ts';
import type { Schedule } from './schedule.ts';

export type StoreParts = {
  readonly schedule: Schedule;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly bell: SimBell;
  readonly tell: Tell;
  /** It is reached at once, and never in vain: what makes runs of a plan quick, in which nothing befalls the store. */
  readonly isNear?: boolean;
};

/** The ports of the store as one process has them. */
export type StoreOfLife = Pick<MemoryStore, 'journal' | 'tasks' | 'records' | 'views'>;

const READS = new Set([
  'load',
  'read',
  'get',
  'list',
  'deployments',
  'plan',
  'events',
  'tasks',
  'output',
  'fleet',
  'steps',
]);
/** The calls of a driver's turn: a pause in the middle of one has what it has read grow old. */
const TURN = new Set(['acquire', 'load', 'read', 'commit']);
/** Counts how long a store that does not answer is waited for. */
const DEADLINE_MS = 10_000;

/** One store for all servers: real SQL in memory, behind a network that loses requests and the replies of commits. */
export class SimStore {
  /** The store itself, as nobody but the observer sees it. */
  readonly truth: MemoryStore;
  readonly #parts: StoreParts;
  /** How often the logs and the holds have changed. */
  changes = 0;
  #downUntilMs = 0;
  #failingOverUntilMs = 0;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    const { bell, schedule } = parts;
    const rung: Bell = { ring: (topic) => bell.ring(topic), wait: () => Promise.resolve() };
    this.truth = openMemoryStore({ bell: rung, now: () => EPOCH_MS + schedule.nowMs });
  }

  /** It answers nobody for a while. */
  goDown(ms: number): void {
    this.#downUntilMs = this.#parts.schedule.nowMs + ms;
  }

  /** Another server takes its place: what is under way is done, and its reply is lost; then nobody answers for a while. */
  failOver(ms: number): void {
    this.#failingOverUntilMs = this.#parts.schedule.nowMs + 500;
    this.goDown(ms);
  }

  of(life: Life, bell: Bell): StoreOfLife {
    const { schedule, draw, faults } = this.#parts;
    const link: Link = {
      code: 'store_unavailable',
      deadlineMs: DEADLINE_MS,
      trip: (method) => {
        if (TURN.has(method) && faults.strikes('server.pause')) {
          const ms = draw.skewed(500, 120_000);
          life.pause(ms);
          faults.lasts('server.pause', ms);
        }
        return this.#trip(method);
      },
    };
    const { isNear = false } = this.#parts;
    const over = <T extends object>(port: T): T =>
      isNear ? port : wired(port, { schedule, faults, life, link });
    const tasks = over(this.#toldTasks());
    return {
      journal: over(this.#toldJournal()),
      tasks: withBell(tasks, bell),
      records: over(this.truth.records),
      views: over(this.#stale(this.truth.views)),
    };
  }

  #trip(method: string): Trip {
    const { schedule, draw, faults } = this.#parts;
    // Beyond the deadline: what nobody waits for any more arrives nevertheless.
    const requestMs = faults.strikes('store.slow') ? draw.skewed(50, 1.5 * DEADLINE_MS) : draw.int(0, 2);
    const way = { requestMs, replyMs: draw.int(0, 2) };
    const isWrite = !READS.has(method);
    if (schedule.nowMs < this.#failingOverUntilMs && isWrite) {
      faults.note('store.failover');
      return { ...way, lost: 'reply' };
    }
    if (schedule.nowMs < this.#downUntilMs) {
      faults.note('store.outage');
      return { ...way, lost: 'refused' };
    }
    if (faults.strikes('store.refused')) return { ...way, lost: 'refused' };
    if (faults.strikes('store.request-lost')) return { ...way, lost: 'request' };
    if (isWrite && faults.strikes('commit.reply-lost')) return { ...way, lost: 'reply' };
    return way;
  }

  #toldJournal(): Journal {
    const { journal } = this.truth;
    const { tell } = this.#parts;
    return {
      ...journal,
      create: async (made) => {
        const created = await journal.create(made);
        this.changes += 1;
        if (created.kind === 'created') tell({ kind: 'deployment.created', made });
        return created;
      },
      submit: async (rows) => {
        await journal.submit(rows);
        for (const { command } of rows) tell({ kind: 'asked', command });
      },
      commit: async (lease, commit) => {
        const committed = await journal.commit(lease, commit);
        this.changes += 1;
        tell({ kind: 'committed', lease, commit, committed });
        return committed;
      },
    };
  }

  #toldTasks(): TaskBoard {
    const { tasks } = this.truth;
    return {
      ...tasks,
      claim: async (request) => {
        const claimed = await tasks.claim(request);
        if (claimed.length > 0) this.#parts.tell({ kind: 'claimed', request, tasks: claimed });
        return claimed;
      },
      renew: async (worker, held) => {
        const renewed = await tasks.renew(worker, held);
        const kept = held.map(({ task }) => task).filter((task) => !renewed.lost.includes(task));
        if (kept.length > 0) this.#parts.tell({ kind: 'renewed', tasks: kept });
        return renewed;
      },
      report: (worker, reports) =>
        tasks.report(
          worker,
          reports.map((report) => this.#halved(report)),
        ),
    };
  }

  /** Of a guard's two outputs one is missing now and then, or both. */
  #halved(report: Report): Report {
    const { draw, faults, tell } = this.#parts;
    const { outcome, task } = report;
    if (outcome.kind !== 'done' || !('observed' in outcome.outputs)) return report;
    if (!faults.strikes('board.half-report')) return report;
    tell({ kind: 'report.halved', task });
    const { observed = [], members = [] } = outcome.outputs;
    return { ...report, outcome: { ...outcome, outputs: draw.pick([{}, { observed }, { members }]) } };
  }

  /** Now and then a view is an answer from before: a replica that lags. Drivers and workers never read it. */
  #stale(views: Views): Views {
    const { faults } = this.#parts;
    const answers = new Map<string, unknown>();
    return new Proxy(views, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: readonly unknown[]) => {
          const key = `${String(name)} ${JSON.stringify(args)}`;
          const before = answers.get(key);
          const now: unknown = await Reflect.apply(member, target, args);
          answers.set(key, now);
          return before !== undefined && faults.strikes('view.stale') ? before : now;
        };
      },
    });
  }
}

const POLL_MS = 5_000;

/** A wait for work ends with the process's own bell, or after a short while. */
export function withBell(tasks: TaskBoard, bell: Bell, pollMs = POLL_MS): TaskBoard {
  return new Proxy(tasks, {
    get: (target, name) =>
      name === 'waitForWork'
        ? (pool: string, timeoutMs: number, signal: AbortSignal) =>
            bell.wait(`pool/${pool}`, Math.min(timeoutMs, pollMs), signal)
        : Reflect.get(target, name),
  });
}
