import { bindActions, COMMON_ACTIONS } from '../../src/actions/registry.ts';
import { MemoryArtifacts } from '../../src/adapters/memory/artifacts.ts';
import type { Program } from '../../src/adapters/memory/behaviour.ts';
import { memoryBell } from '../../src/adapters/memory/bell.ts';
import { MemoryClock } from '../../src/adapters/memory/clock.ts';
import { MemoryHosts } from '../../src/adapters/memory/hosts.ts';
import { createMemoryBalancer } from '../../src/adapters/memory/load-balancer.ts';
import { createMemoryMetrics } from '../../src/adapters/memory/metrics.ts';
import { createMemoryProbe } from '../../src/adapters/memory/probe.ts';
import { createMemoryStatistics } from '../../src/adapters/memory/statistics.ts';
import { openMemoryStore } from '../../src/adapters/memory/store.ts';
import type { TaskReport } from '../../src/domain/command.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import { workerId } from '../../src/domain/ids.ts';
import type { Action } from '../../src/ports/action.ts';
import type { Commit, Lease, NewTask } from '../../src/ports/journal.ts';
import type { TaskBoard } from '../../src/ports/task-board.ts';
import { keepingBalancer } from '../../src/worker/keeping-balancer.ts';
import type { WorkerNotice, WorkerSettings } from '../../src/worker/settings.ts';
import { WORKER_DEFAULTS } from '../../src/worker/settings.ts';
import { Worker } from '../../src/worker/worker.ts';
import { commitOf, deployment, lease, POOL, task } from '../contracts/sample.ts';
import { HOST } from './trial.ts';

/** A worker of the world, and the wire between it and the board, which can be cut. */
export type WorldWorker = {
  readonly name: string;
  readonly notices: readonly WorkerNotice[];
  cut(): void;
  /** From now on calls arrive, and no answer comes back. */
  loseAnswers(): void;
  mend(): void;
  /** Stops it; resolves when it has let go. */
  stop(): Promise<void>;
};

/** A store, hosts and workers in memory, on one clock that stands still until the test moves it. */
export class WorkerWorld {
  readonly clock = new MemoryClock();
  readonly hosts: MemoryHosts;
  /** Of the members of the sample's pool. */
  readonly device = createMemoryBalancer({ [POOL.pool]: ['web-0:8080', 'web-1:8080'] });
  readonly #store = openMemoryStore({ bell: memoryBell(), now: () => this.clock.now(), pollMs: 60_000 });
  readonly #actions: readonly Action[];
  readonly #workers: WorldWorker[] = [];
  readonly #deployment = deployment('d1');
  #lease: Lease | undefined;
  #version = 1;

  constructor(program: Program, actions: readonly Action[] = []) {
    this.hosts = new MemoryHosts(this.clock, program);
    this.#actions = actions;
  }

  get host() {
    return this.hosts.host(HOST.name);
  }

  async commit(changes: Partial<Commit>): Promise<void> {
    this.#lease ??= await lease(this.#store.journal, this.#deployment);
    const commit = commitOf({ ...changes, expectedVersion: this.#version });
    const committed = await this.#store.journal.commit(this.#lease, commit);
    if (committed.kind !== 'committed') throw new Error(committed.kind);
    this.#version = committed.version;
  }

  /** Opens a task; `host.run` unless it says otherwise. */
  async open(index = 0, changes: Partial<NewTask> = {}): Promise<NewTask> {
    const row = task(this.#deployment.id, index, {
      action: 'host.run@1',
      inputs: { host: HOST, argv: ['work'] },
      deadlineAt: this.clock.now() + 600_000,
      ...changes,
    });
    await this.commit({ open: [row] });
    return row;
  }

  start(name: string, changes: Partial<WorkerSettings> = {}): WorldWorker {
    const notices: WorkerNotice[] = [];
    const wire = cuttable(this.#store.tasks);
    const balancer = keepingBalancer(this.device, this.clock);
    const ports = {
      hosts: this.hosts,
      balancer: async () => balancer,
      statistics: async () => createMemoryStatistics({}, this.clock),
      metrics: async () => createMemoryMetrics({ clock: this.clock, timeoutMs: 1_000, delayMs: 0 }),
      probe: createMemoryProbe({ clock: this.clock }),
      secrets: { resolve: async () => 'secret' },
      artifacts: new MemoryArtifacts(() => undefined),
      clock: this.clock,
    };
    const handlers = bindActions([...COMMON_ACTIONS, ...this.#actions], ports);
    const settings = { ...WORKER_DEFAULTS, worker: workerId(name), gone: [], pool: 'dc-1', ...changes };
    const notice = (one: WorkerNotice): void => void notices.push(one);
    const worker = new Worker(settings, { ...ports, board: wire.board, handlers, notice });
    const stop = new AbortController();
    const running = worker.run(stop.signal);
    const made = {
      name,
      notices,
      ...wire.switch,
      stop: async () => {
        stop.abort();
        await this.clock.until(running);
      },
    };
    this.#workers.push(made);
    return made;
  }

  /** The reports that came to the driver. */
  async reports(): Promise<readonly TaskReport[]> {
    this.#lease ??= await lease(this.#store.journal, this.#deployment);
    const { commands } = await this.#store.journal.read(this.#lease, 1_000);
    return commands.flatMap((command) => (command.kind === 'report' ? [command] : []));
  }

  async outcomes(): Promise<readonly string[]> {
    return (await this.reports()).map(({ outcome }) => outcome.kind);
  }

  async output(): Promise<string> {
    const query = { deployment: this.#deployment.id, after: 0, limit: 10_000 };
    return (await this.#store.views.output(query)).map(({ text }) => text).join('');
  }

  tasks() {
    return this.#store.views.tasks(this.#deployment.id);
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) await worker.stop();
    await this.#store.close();
  }
}

/** The board behind a wire: cut, no call arrives and none is answered. */
function cuttable(board: TaskBoard) {
  let whole = true;
  let isAnswered = true;
  const over =
    <Args extends readonly unknown[], T>(call: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (!whole) throw new EdgeError('server_unreachable', 'the wire is cut');
      const answer = await call(...args);
      if (!whole || !isAnswered) {
        throw new EdgeError('server_unreachable', 'the wire was cut before the answer');
      }
      return answer;
    };
  return {
    board: {
      claim: over(board.claim.bind(board)),
      renew: over(board.renew.bind(board)),
      keepOut: over(board.keepOut.bind(board)),
      report: over(board.report.bind(board)),
      appendOutput: over(board.appendOutput.bind(board)),
      waitForWork: over(board.waitForWork.bind(board)),
    },
    switch: {
      cut: () => {
        whole = false;
      },
      loseAnswers: () => {
        isAnswered = false;
      },
      mend: () => {
        whole = true;
        isAnswered = true;
      },
    },
  };
}
