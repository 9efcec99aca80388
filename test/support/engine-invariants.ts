import assert from 'node:assert/strict';
import type { MemberRef } from '../../src/domain/balancer.ts';
import { floorOf, type Hold } from '../../src/domain/capacity.ts';
import type { Event } from '../../src/domain/event.ts';
import { parseTaskId, type ReleaseId, type TaskId, taskId } from '../../src/domain/ids.ts';
import type { PlanTarget } from '../../src/domain/plan.ts';
import { isTerminal } from '../../src/domain/status.ts';
import { evolve } from '../../src/engine/evolve.ts';
import { placeOf, stepOf, targetOf } from '../../src/engine/model.ts';
import type { DeploymentState } from '../../src/engine/state.ts';
import type { Turns } from './turns.ts';

type Turn = { readonly before: DeploymentState; readonly events: readonly Event[] };

/** The world behind the engine, as the checks look at it; see `EngineWorld`. */
type WorldSeen = {
  readonly granted: Set<string>;
  readonly taken: Map<string, string>;
  readonly cancelledAt: Map<string, number>;
  readonly aborted: ReadonlySet<string>;
  readonly versions: ReadonlyMap<string, ReleaseId | 'unsure' | null>;
  readonly configured: number;
  readonly out: ReadonlySet<string>;
  readonly holds: readonly Hold[];
  readonly now: number;
  readonly serving: number;
  isOut(target: PlanTarget): boolean;
  holdOf(member: MemberRef): Hold | undefined;
};

/** What must hold after every turn (FAULTS.md section 5.3), judged by the log and the world, not by what the engine counts. */
export function checkTurn(world: WorldSeen, turns: Turns, turn: Turn): void {
  const { before, events } = turn;
  if (isTerminal(before.status)) assert.deepEqual(events, [], 'the end is final');
  checkOwners(world, turns, events);
  checkCapacity(world, turns, events);
  checkCancels(world, turns, events);
  checkGrants(turns, turn);
  checkBudget(turns, events);
  checkCounts(turns);
  if (turns.state.stop && !isTerminal(turns.state.status)) assert.equal(turns.state.status, 'running');
  checkReplay(turns, turn);
  if (isTerminal(turns.state.status) && !isTerminal(before.status)) checkEnd(world, turns);
}

/** A driver that loads a snapshot, which is plain JSON, and the events after it knows what the one before it knew. */
function checkReplay({ model, state }: Turns, { before, events }: Turn): void {
  const snapshot = JSON.parse(JSON.stringify(before)) as DeploymentState;
  assert.deepEqual(
    events.reduce((from, event) => evolve(model, from, event), snapshot),
    state,
  );
}

/** I4: a member is worked on by one deployment at a time. */
function checkOwners({ taken }: WorldSeen, { model }: Turns, events: readonly Event[]): void {
  for (const event of events) {
    if (event.kind === 'capacity.taken') {
      for (const { member } of event.members) {
        assert.equal(taken.get(member) ?? model.id, model.id, `${member} is taken by another deployment`);
        taken.set(member, model.id);
      }
    }
    const isParked = (event.kind === 'target.failed' || event.kind === 'target.skipped') && event.parked;
    if (event.kind !== 'capacity.given' && !isParked) continue;
    for (const { member } of targetOf(model, event.target).members) taken.delete(member);
  }
}

/** An abort reaches every task that runs; nothing is given up as unknown before it had its time to end. */
function checkCancels(world: WorldSeen, turns: Turns, events: readonly Event[]): void {
  const { model, state, tasks } = turns;
  for (const event of events) {
    if (event.kind === 'task.cancelling') {
      const id = taskId({
        deployment: model.id,
        ...at(turns, event.target),
        target: event.target,
        step: event.step,
      });
      world.cancelledAt.set(id, world.now);
    }
    if (event.kind !== 'task.unknown' || event.worker !== null) continue;
    const since = world.cancelledAt.get(taskId({ deployment: model.id, ...event })) ?? world.now;
    assert.ok(world.now - since >= 120_000, 'given up too soon');
  }
  if (state.stop?.abort) for (const task of tasks.values()) assert.ok(task.cancel, `${task.id} runs on`);
}

/** I1: whoever takes a member that serves leaves the floor in service, whatever other deployments have out or may take out. */
function checkCapacity(world: WorldSeen, turns: Turns, events: readonly Event[]): void {
  for (const event of events) {
    if (event.kind === 'capacity.given')
      for (const { member } of targetOf(turns.model, event.target).members) world.granted.delete(member);
    if (event.kind !== 'capacity.taken') continue;
    const served = event.members.filter(({ member }) => !world.out.has(member) && !world.granted.has(member));
    for (const { member } of event.members) world.granted.add(member);
    if (served.length === 0) continue;
    const floor = floorOf(turns.model.plan.floors[0]?.floor ?? { count: 0 }, world.configured);
    assert.ok(world.serving >= floor, `${world.serving} serve, the floor is ${floor}`);
  }
}

/** Steps in order, batches in order, nothing while stopping, nothing fresh while paused, never more at once than planned. */
function checkGrants(turns: Turns, { events }: Turn): void {
  const { model, state, last } = turns;
  const succeeded = new Set(
    turns.events.flatMap((event) =>
      event.kind === 'task.succeeded' || (event.kind === 'task.resolved' && event.as === 'succeeded')
        ? [key(event)]
        : [],
    ),
  );
  for (const { id } of last?.open ?? []) {
    const { target, step, group } = parseTaskId(id);
    assert.equal(state.stop, null, `${id} began although the deployment is stopping`);
    if (step > 0) assert.ok(succeeded.has(key({ target, step: step - 1, group })), `${id} skipped a step`);
    if (isAgain(turns, id)) continue;
    assert.equal(state.status, 'running', `${id} began while ${state.status}`);
    assert.ok(isTurnOf(turns, target, isAhead(turns, id) ? 1 : 0), `${id} began before its batch`);
  }
  if (!turns.events.some(({ kind }) => kind === 'target.retried' || kind === 'task.resolved')) {
    for (const ahead of [true, false]) {
      const active = activeTargets(turns, ahead);
      assert.ok(active.length <= model.plan.policy.parallel, `${active.length} at once`);
      const inBatch = Map.groupBy(active, (target) => placeOf(model, target).of);
      for (const [batch, targets] of inBatch) assert.ok(targets.length <= batch.parallel);
    }
  }
  const opened = events.filter(({ kind }) => kind === 'tasks.granted').length;
  assert.ok(opened <= 1, 'one grant a turn');
}

const key = ({ target, step, group }: { target: number; step: number; group: number }) =>
  `${target}/${step}/${group}`;

/** Those that are prepared are counted apart: nothing is done to what serves there. */
function activeTargets(turns: Turns, ahead: boolean): readonly number[] {
  const open = [...turns.tasks.keys()].filter((id) => isAhead(turns, id) === ahead);
  return [...new Set(open.map((id) => parseTaskId(id).target))];
}

function isAhead({ model }: Turns, id: TaskId): boolean {
  const { target, step } = parseTaskId(id);
  return stepOf(model, target, step).ahead === true;
}

/** What is prepared of a target whose turn has come, or anything of one that is on its way. */
function isAgain(turns: Turns, id: TaskId): boolean {
  const { target, step } = parseTaskId(id);
  const before = step === 0 ? undefined : stepOf(turns.model, target, step - 1);
  const wasHelped = turns.events.some(
    (event) => (event.kind === 'target.retried' || event.kind === 'task.resolved') && event.target === target,
  );
  return wasHelped || (before !== undefined && !before.ahead);
}

/** All of the batches and stages before its own have ended, or all but so many. */
function isTurnOf(turns: Turns, target: number, early: number): boolean {
  const place = placeOf(turns.model, target);
  return turns.model.plan.targets.every((_, other) => {
    const at = placeOf(turns.model, other);
    const isBefore =
      at.stage < place.stage ||
      (at.stage === place.stage && at.lane === place.lane && at.batch < place.batch - early);
    return !isBefore || !['pending', 'running'].includes(turns.target(other).status);
  });
}

/** A deployment goes on exactly as long as it has budget left: failures since somebody last resumed it. */
function checkBudget({ model, state, events }: Turns, now: readonly Event[]): void {
  const { count } = model.plan.policy.maxFailures.deployment;
  if (count === undefined || model.plan.verb === 'rollback') return;
  let failures = 0;
  for (const [index, event] of events.entries()) {
    if (event.kind === 'deployment.resumed') failures = 0;
    const isFailure = event.kind === 'target.failed' && event.status !== 'aborted';
    if (isFailure && placeOf(model, event.target).of.countsFailures) failures += 1;
    if (index >= events.length - now.length && isReaction(event))
      assert.ok(failures >= count, `reacts to ${failures} failures of ${count}`);
  }
  if (state.status === 'running' && !state.stop)
    assert.ok(failures < count, `goes on after ${failures} failures of ${count}`);
}

const isReaction = (event: Event): boolean =>
  event.kind === 'deployment.paused'
    ? event.cause === 'budget'
    : event.kind === 'deployment.stopping' && event.by === 'engine' && event.status === 'failed';

/** The counters are those of the targets; a task is open exactly where a target waits for one. */
function checkCounts(turns: Turns): void {
  const { state, model } = turns;
  const statuses = model.plan.targets.map((_, target) => turns.target(target).status);
  const count = (...of: readonly string[]) => statuses.filter((status) => of.includes(status)).length;
  assert.deepEqual(state.counts, {
    succeeded: count('succeeded'),
    failed: count('failed', 'unknown', 'aborted'),
    skipped: count('skipped'),
    active: count('running'),
  });
  const running = statuses.flatMap((status, target) => {
    const isPrepared = status === 'pending' && turns.target(target).granted;
    return status === 'running' || isPrepared ? [target] : [];
  });
  const open = running.map((target) => taskId({ deployment: model.id, target, ...at(turns, target) }));
  assert.deepEqual([...turns.tasks.keys()].toSorted(), open.toSorted(), 'one open task per running target');
}

const at = (turns: Turns, target: number) => {
  const { step, group } = turns.target(target);
  return { step, group };
};

/** I6, I8, I17: nothing runs, nothing is taken, what is out has an owner and a reason, and success is true. */
function checkEnd(world: WorldSeen, turns: Turns): void {
  const { state, model } = turns;
  assert.deepEqual(turns.replayed(), state, 'the log alone gives the same state');
  assert.equal(turns.tasks.size, 0, 'no task is open');
  const owner = turns.last?.successor?.id ?? model.id;
  const own = world.holds.filter(({ deployment }) => deployment === owner);
  assert.deepEqual(
    own.filter(({ phase }) => phase !== 'parked'),
    [],
    'nothing is taken',
  );
  for (const [index, target] of model.plan.targets.entries()) {
    const { status } = turns.target(index);
    if (status === 'succeeded') assert.equal(world.versions.get(target.name), target.release);
    if (status === 'succeeded') assert.ok(!world.isOut(target) || isElsewhere(world, target, owner));
    if (world.isOut(target)) assert.ok(target.members.every((member) => world.holdOf(member)));
    if (!state.stop) assert.notEqual(status, 'pending', 'a target was left out');
  }
  if (world.aborted.has(model.id)) assert.equal(turns.last?.successor, undefined, 'aborted, yet rolled back');
  checkRollback(world, turns, owner);
}

const isElsewhere = (world: WorldSeen, target: PlanTarget, owner: string) =>
  target.members.some((member) => (world.holdOf(member)?.deployment ?? owner) !== owner);

/** I9: whatever was touched is in the rollback's plan. */
function checkRollback(world: WorldSeen, turns: Turns, owner: string): void {
  if (turns.state.stop?.next !== 'rollback') return;
  const planned = new Set(turns.last?.successor?.plan.targets.map(({ name }) => name));
  for (const target of turns.model.plan.targets) {
    const isTouched = world.versions.get(target.name) !== target.before || world.isOut(target);
    if (isTouched && target.before !== null && !planned.has(target.name))
      assert.ok(isElsewhere(world, target, owner), `${target.name} is not returned`);
  }
}
