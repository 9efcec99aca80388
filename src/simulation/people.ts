import { asEdgeError, EdgeError } from '../domain/errors.ts';
import { type DeploymentId, planHash } from '../domain/ids.ts';
import { ROLE_PERMISSIONS } from '../domain/permission.ts';
import type { Plan } from '../domain/plan.ts';
import { isList } from '../domain/project-environment.ts';
import type { Caller } from '../operations/caller.ts';
import { deploy } from '../operations/deploy.ts';
import { exec } from '../operations/exec.ts';
import type { OperationPorts } from '../operations/ports.ts';
import { resolveTarget } from '../operations/resolve.ts';
import { returnParked } from '../operations/return-parked.ts';
import { rollback } from '../operations/rollback.ts';
import { abort, pause, resume, retryTarget, skipTarget, submit } from '../operations/steer.ts';
import type { DeploymentRow } from '../ports/views.ts';
import { Approvers, waiting } from './approvers.ts';
import type { Cluster } from './cluster.ts';
import type { Draw } from './draw.ts';
import type { Tell } from './facts.ts';
import type { FaultKind, Faults } from './faults.ts';
import { judgesOf } from './measuring.ts';
import { endedTasks, guessOf, openTasks, resultOf, staleTasks, storyOf } from './resolving.ts';
import { noteFault } from './roles.ts';
import { type Ask, ENVIRONMENT, LOOK, type Scenario } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import type { SimStore } from './store.ts';
import type { World } from './world.ts';

export type PeopleParts = {
  readonly scenario: Scenario;
  readonly schedule: Schedule;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly cluster: Cluster;
  readonly store: SimStore;
  readonly tell: Tell;
  readonly world: World;
};

const ADMIN = { permissions: ROLE_PERMISSIONS.admin, expiresAt: null };
/** A deployment with its plan as it is kept. */
type Known = { readonly id: DeploymentId; readonly plan: string };

const LATE_VERBS = [
  'pause',
  'resume',
  'resume',
  'retry',
  'retry',
  'retry',
  'retry',
  'skip',
  'skip',
  'skip',
  'rollback',
  'abort',
  'resolve',
  'resolve',
] as const;
/** Two people who know nothing of each other: the second verb comes so soon after the first. */
const TOO_MS = 4_000;

const LOOK_EVERY_MS = 10_000;
/** An ask that was refused is made again so often. */
const ASKS = 12;
/** A paused deployment is resumed so often before it is aborted. */
const PATIENCE = 4;
const RETURNS = 6;

/**
 * The operators: they ask for deployments, now and then change their minds, and once the world has healed they bring to an end
 * what waits for them. All that they do goes through the product's operations, on whichever server is alive.
 */
export class People {
  readonly #parts: PeopleParts;
  readonly #approvers: Approvers;
  readonly #open = new Set<Ask>();
  readonly #asked = new Map<Ask, number>();
  readonly #patience = new Map<string, number>();
  readonly #returned = new Map<string, number>();
  readonly #parkedOf = new Map<string, readonly string[]>();
  #parkedAt = -1;
  #acts = 0;
  /** How often each target was retried by a person, by deployment and name. */
  readonly retries = new Map<string, number>();

  constructor(parts: PeopleParts) {
    this.#parts = parts;
    this.#approvers = new Approvers({
      ...{ store: parts.store, draw: parts.draw, person: () => this.#person() },
      edit: (ports, project) => this.#edit(ports, project),
    });
    for (const ask of parts.scenario.asks) {
      this.#open.add(ask);
      parts.schedule.after(ask.atMs, () => void this.#ask(ask));
    }
    this.#look();
  }

  /** Each act has a name of its own, by which its answer is known. */
  #person(): Caller {
    this.#acts += 1;
    return { ...ADMIN, name: `person-${this.#acts}` };
  }

  get areAsking(): boolean {
    return this.#open.size > 0;
  }

  /** Nobody is going to ask for anything more. */
  get areDone(): boolean {
    if (this.#open.size > 0) return false;
    return this.#parts.scenario.projects.every(({ name }) => this.#isTidy(name));
  }

  #isTidy(project: string): boolean {
    const isParked = this.#parked(project).length > 0;
    return !isParked || (this.#returned.get(project) ?? 0) >= RETURNS;
  }

  #look(): void {
    const { schedule, draw, faults } = this.#parts;
    schedule.after(draw.int(1, 2 * LOOK_EVERY_MS), () => {
      const [row] = draw.shuffled(this.#active());
      if (faults.areOver) this.#tidyUp();
      else this.#meddle(row);
      this.#look();
    });
  }

  #active(): readonly DeploymentRow[] {
    return this.#parts.store.truth.look<DeploymentRow>(
      'SELECT id, project, environment, status, verb FROM deployments WHERE ended_at IS NULL ORDER BY id',
    );
  }

  /** Asked after each event while nothing is active, so that it is looked up only if something was written since. */
  #parked(project: string): readonly string[] {
    const { truth, changes } = this.#parts.store;
    if (this.#parkedAt !== changes) this.#parkedOf.clear();
    this.#parkedAt = changes;
    const known = this.#parkedOf.get(project);
    if (known) return known;
    const sql = `SELECT DISTINCT h.target FROM holds h JOIN deployments d ON d.id = h.deployment
      WHERE h.phase = 'parked' AND d.project = ? ORDER BY h.target`;
    const parked = truth.look<{ target: string }>(sql, project).map(({ target }) => target);
    this.#parkedOf.set(project, parked);
    return parked;
  }

  #meddle(row: DeploymentRow | undefined): void {
    if (row) this.#interfere(row);
    for (const one of waiting(this.#parts.store))
      if (this.#parts.draw.chance(0.7))
        void this.#do('approves', (ports) => this.#approvers.anyhow(ports, one));
    const [known] = this.#parts.draw.shuffled(this.#latest());
    if (known) this.#lateOn(known);
  }

  #lateOn(known: Known): void {
    const { faults, draw, schedule } = this.#parts;
    if (!faults.strikes('person.is-late')) return;
    void this.#do('is late', (ports) => this.#late(ports, known));
    if (draw.chance(0.5)) schedule.after(draw.int(0, TOO_MS), () => this.#lateOn(known));
  }

  /** The deployments that began last, those that have ended with them. */
  #latest(): readonly Known[] {
    return this.#parts.store.truth.look<Known>(
      `SELECT d.id, p.body AS plan FROM deployments d JOIN plans p ON p.hash = d.plan_hash
       WHERE d.created_by <> 'history' ORDER BY d.created_at DESC, d.id LIMIT 3`,
    );
  }

  /**
   * A server looks whether a verb can be obeyed, is paused, and hands it on: nothing is any more as it was. Or it is of another
   * version, and looks less.
   */
  async #late(ports: OperationPorts, { id, plan }: Known): Promise<unknown> {
    const { draw } = this.#parts;
    const { targets, approvals } = JSON.parse(plan) as Plan;
    const [of] = waiting(this.#parts.store).filter((one) => one.id === id);
    if (approvals && draw.chance(0.3))
      return this.#approvers.late(ports, of ?? { id, project: '', by: '', planHash: LONG_AGO });
    const kind = draw.pick(LATE_VERBS);
    const target = draw.int(0, draw.chance(0.1) ? targets.length : targets.length - 1);
    const reason = 'late';
    if (kind === 'resolve') return this.#resolveLate(ports, id);
    if (kind !== 'retry' && kind !== 'skip')
      return submit(ports, this.#person(), { deployment: id, body: { kind, reason } });
    if (kind === 'skip' && draw.chance(0.5)) return this.#skipTwice(ports, id);
    if (kind === 'retry') this.#countRetry(id, targets[target]?.name ?? '');
    return submit(ports, this.#person(), { deployment: id, body: { kind, target, reason } });
  }

  /** Two people leave out the same target, and its step takes a while to end. */
  async #skipTwice(ports: OperationPorts, deployment: DeploymentId): Promise<unknown> {
    const { store, draw } = this.#parts;
    const open = storyOf(store.truth, deployment)?.targets.flatMap(({ isOpen }, n) => (isOpen ? [n] : []));
    if (!open || open.length === 0) return undefined;
    const body = { kind: 'skip', target: draw.pick(open), reason: 'late' } as const;
    await submit(ports, this.#person(), { deployment, body });
    return submit(ports, this.#person(), { deployment, body });
  }

  /** What a person does in the middle of a deployment. */
  #interfere(row: DeploymentRow): void {
    const { draw } = this.#parts;
    const deployment = row.id;
    const reason = 'a person wants it so';
    const target = draw.pick([...this.#targetsOf(row.project), ...this.#judgesOf(row)]);
    const acts: readonly [FaultKind, (ports: OperationPorts) => Promise<unknown>][] = [
      ['person.aborts', (ports) => abort(ports, this.#person(), { deployment, reason })],
      ['person.pauses', (ports) => pause(ports, this.#person(), { deployment, reason })],
      ['person.resumes', (ports) => resume(ports, this.#person(), { deployment, reason })],
      ['person.retries', (ports) => this.#retry(ports, row, this.#failedOf(row) ?? target)],
      [
        'person.skips',
        (ports) =>
          skipTarget(ports, this.#person(), { deployment, target: this.#failedOf(row) ?? target, reason }),
      ],
      ['person.resolves', (ports) => this.#resolve(ports, row)],
      ['person.rolls-back', (ports) => rollback(ports, this.#person(), { deployment, reason })],
      ['person.deploys-too', (ports) => this.#deploy(ports, { ...this.#anyAsk(row.project), atMs: 0 })],
      ['person.edits', (ports) => this.#edit(ports, row.project)],
      ['person.runs-commands', (ports) => this.#runCommand(ports, row.project)],
    ];
    for (const [kind, act] of acts) if (this.#parts.faults.strikes(kind)) void this.#do(kind, act);
  }

  /** Once nothing breaks any more, each paused deployment is decided on, and what is parked is returned. */
  #tidyUp(): void {
    const active = this.#active();
    for (const row of active) if (row.status === 'paused') void this.#decide(row);
    for (const one of waiting(this.#parts.store))
      void this.#do('approves', (ports) => this.#approvers.decided(ports, one));
    if (active.length > 0 || this.#open.size > 0) return;
    for (const { name } of this.#parts.scenario.projects) if (!this.#isTidy(name)) void this.#return(name);
  }

  async #decide(row: DeploymentRow): Promise<void> {
    const { draw } = this.#parts;
    const input = { deployment: row.id, reason: 'decided' };
    const left = this.#patience.get(row.id) ?? PATIENCE;
    this.#patience.set(row.id, left - 1);
    const failed = this.#failedOf(row);
    const how =
      left <= 0 ? 'abort' : draw.pick(['resume', 'abort', 'rollback', 'retry', 'skip', 'resolve'] as const);
    await this.#do(`decides: ${how}`, async (ports) => {
      if (draw.chance(0.3)) await this.#guess(ports, row.id);
      if (how === 'abort') return abort(ports, this.#person(), input);
      if (how === 'rollback' && row.verb !== 'rollback') return rollback(ports, this.#person(), input);
      if (failed !== undefined && how === 'retry') await this.#retry(ports, row, failed);
      if (how === 'resolve') await this.#resolve(ports, row);
      if (failed !== undefined && how === 'skip')
        await skipTarget(ports, this.#person(), { ...input, target: failed });
      return resume(ports, this.#person(), input);
    });
  }

  async #retry(ports: OperationPorts, { id }: DeploymentRow, target: string): Promise<unknown> {
    this.#countRetry(id, target);
    return retryTarget(ports, this.#person(), { deployment: id, target, reason: 'once more' });
  }

  /** Looks at the target, and says how its step ended; to guess would be to break what Edge promises. */
  async #resolve(ports: OperationPorts, { id }: DeploymentRow): Promise<unknown> {
    const { store, world, draw } = this.#parts;
    await this.#resolveStale(ports, id);
    if (draw.chance(0.5)) await this.#guess(ports, id);
    const [last] = endedTasks(store.truth, id);
    if (!last) return undefined;
    const { as, ended } = resultOf(world, last);
    const input = { deployment: id, target: last.target.name, step: last.step.id, as };
    const says = { ended: ended && draw.chance(0.7), reason: 'seen on the host' };
    return resolveTarget(ports, this.#person(), { ...input, ...says });
  }

  /** Of an attempt that another came after, as somebody says who looked at it then: nothing may follow. */
  async #resolveStale(ports: OperationPorts, id: DeploymentId): Promise<boolean> {
    const { store, draw } = this.#parts;
    const [stale] = draw.shuffled(staleTasks(store.truth, id));
    if (!stale || draw.chance(0.3)) return false;
    const said = { as: 'succeeded', ended: true, reason: 'seen before' } as const;
    await submit(ports, this.#person(), {
      deployment: id,
      body: { kind: 'resolve', task: stale.task, ...said },
    });
    return true;
  }

  /** The same past the door, of any task that ended badly or runs: the target may have been worked on since. */
  async #resolveLate(ports: OperationPorts, id: DeploymentId): Promise<unknown> {
    const { store, world, draw } = this.#parts;
    if (await this.#resolveStale(ports, id)) return undefined;
    if (draw.chance(0.5)) return this.#guess(ports, id);
    const [ended] = draw.shuffled([...endedTasks(store.truth, id), ...openTasks(store.truth, id)]);
    if (!ended) return undefined;
    const body = { kind: 'resolve', task: ended.task, reason: 'late', ...resultOf(world, ended) } as const;
    return submit(ports, this.#person(), { deployment: id, body });
  }

  async #guess(ports: OperationPorts, deployment: DeploymentId): Promise<unknown> {
    const { store, draw } = this.#parts;
    const story = storyOf(store.truth, deployment);
    const body = story && guessOf(story, deployment, draw);
    return body && submit(ports, this.#person(), { deployment, body });
  }

  #countRetry(deployment: string, target: string): void {
    const key = `${deployment}/${target}`;
    this.retries.set(key, (this.retries.get(key) ?? 0) + 1);
  }

  async #return(project: string): Promise<void> {
    this.#returned.set(project, (this.#returned.get(project) ?? 0) + 1);
    await this.#do('returns', (ports) =>
      returnParked(ports, this.#person(), { project, environment: ENVIRONMENT, reason: 'bring them back' }),
    );
  }

  /** Asks until it is done, refused for good, or too often refused. */
  async #ask(ask: Ask): Promise<void> {
    const { schedule, draw } = this.#parts;
    const times = (this.#asked.get(ask) ?? 0) + 1;
    this.#asked.set(ask, times);
    const made = this.#do('asks', (ports) => this.#deploy(ports, ask));
    // Somebody else wants the same at the same moment, of another server perhaps.
    if (this.#parts.faults.strikes('person.deploys-too'))
      void this.#do('asks too', (ports) => this.#deploy(ports, ask));
    const isMade = await made;
    if (isMade || times >= ASKS) this.#open.delete(ask);
    else schedule.after(draw.int(10_000, 60_000), () => void this.#ask(ask));
  }

  /** Who was refused once asks for all of it. */
  #deploy(ports: OperationPorts, ask: Ask): Promise<unknown> {
    const { project, verb, version, hard } = ask;
    const force = verb === 'deploy' && (this.#asked.get(ask) ?? 0) > 1;
    const place = { project, environment: ENVIRONMENT };
    const input = { ...place, verb, hard, force, reason: 'asked for' };
    return deploy(ports, this.#person(), version === undefined ? input : { ...input, version });
  }

  /** Beside the deployment, on some of its targets. */
  #runCommand(ports: OperationPorts, project: string): Promise<unknown> {
    const { draw } = this.#parts;
    const targets = draw.shuffled(this.#targetsOf(project)).slice(0, draw.int(1, 6));
    const place = { project, environment: ENVIRONMENT, targets };
    const how = { timeoutMs: draw.int(5_000, 60_000), parallel: draw.int(1, 4) };
    const most = draw.chance(0.3) ? { maxFailures: 1 } : {};
    const batches = draw.chance(0.5) ? { batches: 1 } : {};
    const order = { argv: [LOOK], reason: 'to look', dryRun: false, ...how, ...most, ...batches };
    return exec(ports, this.#person(), { ...place, ...order });
  }

  #anyAsk(project: string): Omit<Ask, 'atMs'> {
    const releases = this.#parts.scenario.projects.find(({ name }) => name === project)?.releases ?? [];
    return { project, verb: 'deploy', version: this.#parts.draw.pick(releases).version, hard: false };
  }

  /** The configuration changes under a deployment that runs: it goes on as it was planned. */
  async #edit({ records }: OperationPorts, project: string): Promise<void> {
    const key = `${project}/${ENVIRONMENT}`;
    const kept = await records.get('project-environment', key);
    if (!kept || !isList(kept.value.targets)) return;
    const [first, ...others] = kept.value.targets;
    const targets = first && others.length > 0 ? [...others, first] : kept.value.targets;
    await records.apply([
      { kind: 'project-environment', key, value: { ...kept.value, targets }, expected: kept.version },
    ]);
  }

  /** `false` when it was refused for now. What is refused for good is done with. */
  async #do(what: string, act: (ports: OperationPorts) => Promise<unknown>): Promise<boolean> {
    const { cluster, draw, tell, schedule } = this.#parts;
    const { servers } = cluster;
    if (servers.length === 0) return false;
    const { ports } = draw.pick(servers);
    const late = new Promise<'late'>((resolve) => schedule.after(60_000, () => resolve('late')));
    try {
      return (await Promise.race([act(ports), late])) !== 'late';
    } catch (thrown) {
      noteFault(tell, `a person ${what}`, thrown);
      return thrown instanceof EdgeError && !FOR_NOW.has(asEdgeError(thrown).code);
    }
  }

  #failedOf({ id }: DeploymentRow): string | undefined {
    const sql = `SELECT json_extract(body, '$.target') AS target FROM events
      WHERE deployment = ? AND json_extract(body, '$.kind') = 'target.failed' ORDER BY version DESC LIMIT 1`;
    const [row] = this.#parts.store.truth.look<{ target: number }>(sql, id);
    const plan =
      row &&
      this.#parts.store.truth.look<{ name: string }>(PLAN_TARGET, `$.targets[${row.target}].name`, id)[0];
    return plan?.name;
  }

  /** What judges the canaries of a deployment has a name too. */
  #judgesOf({ id, project }: DeploymentRow): readonly string[] {
    if (!this.#parts.scenario.projects.some(({ name, analysis }) => name === project && analysis)) return [];
    const plan = storyOf(this.#parts.store.truth, id)?.plan;
    return plan ? judgesOf(plan).flatMap((index) => plan.targets[index]?.name ?? []) : [];
  }

  #targetsOf(project: string): readonly string[] {
    return this.#parts.scenario.targets.flatMap((target) =>
      target.project === project ? [target.name] : [],
    );
  }
}

/** Of a deployment that does not wait any more nobody looks at the hash. */
const LONG_AGO = planHash('0'.repeat(64));

const PLAN_TARGET = `SELECT json_extract(p.body, ?) AS name FROM deployments d JOIN plans p ON p.hash = d.plan_hash WHERE d.id = ?`;

/** Answers that may be another one in a minute. */
const FOR_NOW: ReadonlySet<string> = new Set([
  'store_unavailable',
  'environment_locked',
  'floor_impossible',
  'balancer_unreachable',
  'balancer_refused',
  'plan_changed',
  'verb_refused',
]);
