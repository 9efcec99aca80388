import { MemoryArtifacts } from '../../src/adapters/memory/artifacts.ts';
import { memoryBell } from '../../src/adapters/memory/bell.ts';
import { MemoryClock } from '../../src/adapters/memory/clock.ts';
import { createMemoryInventory } from '../../src/adapters/memory/inventory.ts';
import { createMemoryBalancer } from '../../src/adapters/memory/load-balancer.ts';
import { openMemoryStore } from '../../src/adapters/memory/store.ts';
import { isInService } from '../../src/domain/balancer.ts';
import type { GuardOutputs, HeldMember } from '../../src/domain/capacity.ts';
import { asEdgeError } from '../../src/domain/errors.ts';
import { commandId, type DeploymentId, deploymentId, taskId, workerId } from '../../src/domain/ids.ts';
import { ROLE_PERMISSIONS } from '../../src/domain/permission.ts';
import { Driver } from '../../src/engine/driver.ts';
import type { Caller } from '../../src/operations/caller.ts';
import { applyConfiguration } from '../../src/operations/configuration.ts';
import { deploy } from '../../src/operations/deploy.ts';
import type { OperationPorts } from '../../src/operations/ports.ts';
import { resolveTarget } from '../../src/operations/resolve.ts';
import { returnParked } from '../../src/operations/return-parked.ts';
import { rollback } from '../../src/operations/rollback.ts';
import { abort, pause, resume, retryTarget, skipTarget } from '../../src/operations/steer.ts';
import { planHash } from '../../src/plan/hash.ts';
import { planRollback } from '../../src/plan/rollback.ts';
import { datacenter } from '../../src/platforms/datacenter/plan.ts';
import type { Submitted } from '../../src/ports/journal.ts';
import type { ClaimedTask, Report } from '../../src/ports/task-board.ts';
import { threadedSimulator } from '../../src/simulation/plan/threads.ts';
import { environment, project, projectEnvironment, release } from '../fixtures/configuration.ts';
import { CAPABILITIES } from '../support/capabilities.ts';
import type { Answer, Order } from './deployment-model.ts';
import type { Settings } from './place-model.ts';

export const DEVICE = 'lb:9999';
export const POOL = 'web';
export const ENVIRONMENT = 'production';
export const DAY_MS = 25 * 3_600_000;
const ADMIN: Caller = { name: 'ann', permissions: ROLE_PERMISSIONS.admin, expiresAt: null };
const WORKER = workerId('model/worker/1');
const signal = new AbortController().signal;

/**
 * Edge itself: its operations, its driver and its store with real SQL, with time that the test moves and a worker that answers
 * as it is told. What a worker does to members is done to a balancer in memory, so that the world can be looked at.
 */
export class RealEdge {
  readonly clock = new MemoryClock();
  readonly faults: unknown[] = [];
  readonly balancer;
  readonly ports: OperationPorts;
  readonly #store;
  readonly #claimed = new Map<string, ClaimedTask>();
  readonly #reports: Report[] = [];
  readonly #submitted: Submitted[] = [];
  #driver: Driver;
  #drivers = 0;

  constructor(targets: readonly string[]) {
    const bell = memoryBell();
    this.balancer = createMemoryBalancer({ [POOL]: targets });
    for (const [index, member] of targets.entries())
      this.balancer.editByHand({ pool: POOL, member }, { weight: index + 1 });
    this.#store = openMemoryStore({ bell, now: () => this.clock.now() });
    const { journal, tasks, records, views } = this.#store;
    let count = 0;
    const nobody = () => Promise.reject(new Error('nothing here asks a host'));
    const next = (prefix: string) => `${prefix}${String(count++).padStart(6, '0')}`;
    this.ports = {
      journal: { ...journal, submit: (rows) => this.#submit(rows) },
      board: tasks,
      records,
      views,
      ids: { deployment: () => deploymentId(next('d')), command: () => commandId(next('c')) },
      clock: this.clock,
      bell,
      random: { bytes: (size) => new Uint8Array(size) },
      artifacts: new MemoryArtifacts(measured),
      hosts: { facts: nobody, shownKey: nobody },
      inventory: createMemoryInventory(),
      balancer: async () => this.balancer,
      platform: datacenter,
      simulator: threadedSimulator(),
    };
    this.#driver = this.#newDriver();
  }

  /** Projects and releases as configuration and records have them. */
  async configure(projects: ReadonlyMap<string, Settings>, versions: readonly string[]): Promise<void> {
    const documents = [...projects.keys()].map((name) => project({ name }));
    await this.#apply([environment(), ...documents]);
    for (const [name, settings] of projects) await this.edit(name, settings);
    for (const name of projects.keys()) {
      const made = versions.map((version) => ({ ...release(version), project: name }));
      await this.ports.records.apply(
        made.map((value) => ({ kind: 'release', key: `${name}/${value.id}`, value })),
      );
    }
  }

  async edit(name: string, settings: Settings): Promise<void> {
    const { batch, atOnce, maxFailures, onFailure, order } = settings;
    const count = { count: maxFailures };
    await this.#apply([
      projectEnvironment({
        project: name,
        environment: ENVIRONMENT,
        strategy: { canary: 1, batches: batch, parallel: atOnce },
        policy: { minInService: 0, maxFailures: { batch: count, zone: count, deployment: count }, onFailure },
        targets: order.map((target) => ({
          name: target,
          address: '10.0.0.1',
          port: 80,
          member: `${POOL}/${target}`,
        })),
      }),
    ]);
  }

  deploy(name: string, version: string): Promise<string | null> {
    const more = { verb: 'deploy', hard: false, force: false, reason: 'model' } as const;
    return codeOf(deploy(this.ports, ADMIN, { ...more, project: name, environment: ENVIRONMENT, version }));
  }

  returnParked(name: string): Promise<string | null> {
    return codeOf(
      returnParked(this.ports, ADMIN, { project: name, environment: ENVIRONMENT, reason: 'model' }),
    );
  }

  steer(deployment: DeploymentId, { verb, target, says }: Order): Promise<string | null> {
    const input = { deployment, target, reason: 'model' };
    if (verb === 'resolve') return codeOf(resolveTarget(this.ports, ADMIN, { ...input, ...said(says) }));
    const verbs = { pause, resume, abort, rollback, retry: retryTarget, skip: skipTarget };
    return codeOf(verbs[verb](this.ports, ADMIN, input));
  }

  /** A command comes to the inbox past the door; `index` is the target's place in the plan. */
  submit(deployment: DeploymentId, late: Late): Promise<void> {
    const by = { id: this.ports.ids.command(), by: ADMIN.name, reason: 'model' };
    return this.ports.journal.submit([{ deployment, command: { ...by, ...bodyOf(deployment, late) } }]);
  }

  /** The worker reports the open task of a target, with what it did to the members by then. */
  async report(target: string, answer: Answer): Promise<void> {
    const task = this.#claimed.get(target);
    if (!task) throw new Error(`${target} has no task that a worker could claim`);
    const { task: id, epoch, attempt } = task;
    const report = {
      task: id,
      epoch,
      attempt,
      startedAt: this.clock.now(),
      outcome: await this.#act(task, answer),
    };
    this.#reports.push(report);
    await this.ports.board.report(WORKER, [report]);
  }

  /** A report and a command that came already come again. */
  async again(pick: number): Promise<void> {
    const report = this.#reports[pick % Math.max(1, this.#reports.length)];
    const row = this.#submitted[pick % Math.max(1, this.#submitted.length)];
    if (report) await this.ports.board.report(WORKER, [report]);
    if (row) await this.#store.journal.submit([row]);
  }

  /** Drivers look until nothing is left to do; then the worker takes what is due. */
  async drive(): Promise<void> {
    while ((await this.#driver.sweep()) || (await this.#driver.sweep()));
    const more = { leaseMs: 1_000 * DAY_MS, max: 1_000, gone: [] };
    const claim = { worker: WORKER, pool: 'default', capabilities: CAPABILITIES, ...more };
    for (const task of await this.ports.board.claim(claim)) this.#claimed.set(task.target, task);
  }

  /** The process that drives is gone; another takes over from the log. */
  restart(): void {
    this.#driver = this.#newDriver();
  }

  passDay(): Promise<void> {
    return this.clock.advance(DAY_MS);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #newDriver(): Driver {
    const [gone, owner] = [`driver-${this.#drivers}`, `driver-${this.#drivers + 1}`];
    this.#drivers += 1;
    return new Driver(this.ports, {
      ...{ owner, gone: [gone], leaseMs: 60_000, sweepMs: 60_000, planRollback, hashPlan: planHash },
      onFault: (_, fault) => this.faults.push(fault),
    });
  }

  async #apply(documents: readonly { readonly kind: string }[]): Promise<void> {
    const files = documents.map((document, index) => ({
      path: `${index}.yaml`,
      text: JSON.stringify(document),
    }));
    const input = { files, dryRun: false };
    await applyConfiguration(this.ports, ADMIN, { input, signal: new AbortController().signal });
  }

  async #submit(rows: readonly Submitted[]): Promise<void> {
    this.#submitted.push(...rows);
    await this.#store.journal.submit(rows);
  }

  /** A drain that fails may have drained; an enable that fails has enabled nothing. */
  async #act({ step, target, inputs }: ClaimedTask, answer: Answer): Promise<Report['outcome']> {
    if (step === 'drain') await this.balancer.disable({ pool: POOL, member: target }, 'drained', signal);
    if (answer === 'unknown') return { kind: 'unknown', seen: 'nothing' };
    if (answer !== 'done') return failed(answer);
    if (step === 'guard') return { kind: 'done', outputs: { ...(await this.#look(target)) } };
    if (step === 'enable') {
      const held = (inputs.members ?? []) as unknown as readonly HeldMember[];
      for (const { pool, member, asFound } of held)
        await this.balancer.restore({ pool, member }, asFound, signal);
    }
    return { kind: 'done', outputs: {} };
  }

  async #look(target: string): Promise<GuardOutputs> {
    const ref = { balancer: DEVICE, pool: POOL };
    const states = await this.balancer.members(POOL, signal);
    const out = states.filter((state) => !isInService(state)).map(({ member }) => member);
    const own = states.filter(({ member }) => member === target);
    const members = own.map(({ member, asFound }) => ({ ...ref, member, asFound }));
    return { observed: [{ ...ref, configured: states.length, out }], members };
  }
}

type Late = Order & { readonly index: number; readonly step: number; readonly group: number };

function bodyOf(deployment: DeploymentId, { verb, says, index, step, group }: Late) {
  if (verb === 'resolve') {
    const task = taskId({ deployment, target: index, step, group });
    return { kind: verb, task, ...said(says) } as const;
  }
  return verb === 'retry' || verb === 'skip'
    ? ({ kind: verb, target: index } as const)
    : ({ kind: verb } as const);
}

const said = (says: Order['says']) => says ?? ({ as: 'failed', ended: false } as const);

const failed = (answer: 'failed' | 'unhealthy'): Report['outcome'] => ({
  kind: 'failed',
  retryable: false,
  error:
    answer === 'failed'
      ? { code: 'command_failed', message: 'exit status 3', cause: 'command' }
      : { code: 'health_failed', message: 'no answer', cause: 'health' },
});

/** The artifacts of the fixtures, as their releases have them. */
function measured(path: string): { readonly sha256: string; readonly sizeBytes: number } {
  const version = /-(\d+\.\d+\.\d+)\.tar/.exec(path)?.[1] ?? '';
  const [artifact] = release(version).artifacts;
  if (!artifact) throw new Error(`no release of ${path}`);
  return artifact;
}

const codeOf = (asked: Promise<unknown>): Promise<string | null> =>
  asked.then(
    () => null,
    (thrown: unknown) => {
      const { code } = asEdgeError(thrown);
      if (code === 'internal') throw thrown;
      return code;
    },
  );
