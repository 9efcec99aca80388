import { type TaskId, taskId } from '../domain/ids.ts';
import { type Input, NEXT_SHARE, type PlanTarget, type Step } from '../domain/plan.ts';
import { fileSecrets, plannedFiles } from '../domain/planned-files.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { NewTask } from '../ports/journal.ts';
import { isToPrepare, nthAhead } from './ahead.ts';
import { at } from './chunks.ts';
import { type Model, placeOf, present, stepOf, targetOf } from './model.ts';
import { outcomeOf } from './outcome.ts';
import { isOpen, isStopping } from './running.ts';
import type { DeploymentState } from './state.ts';

/**
 * The targets whose next step may begin now: all that go on, then fresh ones as far as the parallelism of their batch and
 * of the deployment allow, then those that may be prepared meanwhile. It looks at each of them once, never at the others. A
 * paused deployment lets started targets finish and takes no fresh one.
 */
export function pending(model: Model, state: DeploymentState): readonly number[] {
  if (isStopping(model, state) || (state.status !== 'running' && state.status !== 'paused')) return [];
  const goOn = state.lanes.flatMap((lane) => lane.goOn);
  if (state.status === 'paused') return goOn;
  const ready = fresh(model, state);
  return [...goOn, ...ready, ...ahead(model, state, ready.length)];
}

type Queue = { readonly waiting: readonly number[]; readonly active: number; taken: number };

function fresh(model: Model, state: DeploymentState): readonly number[] {
  const queues = state.lanes.map(
    (lane, index): Queue => ({
      waiting: waiting(model, state, index),
      active: lane.active,
      taken: 0,
    }),
  );
  return sharedOut(queues, model.plan.policy.parallel - state.counts.active);
}

/**
 * Those whose turn it is go before those of the next batch. All that is open at once is what the deployment may do at once, and one:
 * fetches that filled the slots of workers would hold up who is out of service.
 */
function ahead(model: Model, state: DeploymentState, ready: number): readonly number[] {
  const open = state.lanes.reduce((sum, lane) => sum + lane.ahead, 0);
  const left = model.plan.policy.parallel - state.counts.active - ready - open;
  const room = Math.max(left, open === 0 ? 1 : 0);
  if (room <= 0) return [];
  const found = state.lanes.map((_, index) => toPrepare(model, state, index, room));
  const queuesOf = (isNow: boolean) =>
    state.lanes.map((lane, index): Queue => {
      const waiting = (found[index] ?? []).filter((target) => isOpen(model, state, target) === isNow);
      return { waiting, active: lane.ahead, taken: 0 };
    });
  const now = sharedOut(queuesOf(true), room);
  return [...now, ...sharedOut(queuesOf(false), room - now.length)];
}

/** Of a lane's open batch and the one after it, as many as are to be prepared at once. */
function toPrepare(model: Model, state: DeploymentState, index: number, room: number): readonly number[] {
  const lane = present(state.lanes[index], 'lane');
  const found: number[] = [];
  for (let position = lane.aheadCursor; found.length < room; position += 1) {
    const target = nthAhead(model, state, index, position);
    if (target === undefined) break;
    const { parallel } = placeOf(model, target).of;
    const most = isOpen(model, state, target) ? parallel : Math.ceil(parallel / NEXT_SHARE);
    if (lane.ahead + found.length >= most) break;
    if (isToPrepare(model, state, target)) found.push(target);
  }
  return found;
}

/** The lane with the fewest at work goes first, so that lanes side by side share what the deployment may do at once. */
function sharedOut(queues: readonly Queue[], most: number): readonly number[] {
  const found: number[] = [];
  for (let room = most; room > 0; room -= 1) {
    const queue = leastBusy(queues);
    const target = queue?.waiting[queue.taken];
    if (queue === undefined || target === undefined) break;
    queue.taken += 1;
    found.push(target);
  }
  return found;
}

function leastBusy(queues: readonly Queue[]): Queue | undefined {
  let least: Queue | undefined;
  for (const queue of queues) {
    if (queue.taken === queue.waiting.length) continue;
    if (least === undefined || queue.active + queue.taken < least.active + least.taken) least = queue;
  }
  return least;
}

/** Of a lane's open batch, as many fresh targets as the batch alone would allow: those that are prepared. */
function waiting(model: Model, state: DeploymentState, index: number): readonly number[] {
  const lane = present(state.lanes[index], 'lane');
  if (!lane.open) return [];
  const batch = present(model.plan.stages[state.stage]?.lanes[index]?.batches[lane.batch], 'batch');
  const room = Math.min(batch.parallel, model.plan.policy.parallel) - lane.active;
  const found: number[] = [];
  for (let cursor = lane.cursor; found.length < room && cursor < batch.targets.length; cursor += 1) {
    const target = present(batch.targets[cursor], 'target');
    const { status, granted } = at(state.targets, target);
    if (status === 'pending' && !granted && !isToPrepare(model, state, target)) found.push(target);
  }
  return found;
}

/** The task row of a target's current step. */
export function taskOf(model: Model, state: DeploymentState, target: number, now: number): NewTask {
  const record = at(state.targets, target);
  const step = stepOf(model, target, record.step);
  return {
    id: currentTask(model, state, target),
    target: targetOf(model, target).name,
    step: step.id,
    action: step.action,
    pool: targetOf(model, target).pool,
    inputs: inputsOf(model, state, target, step.inputs),
    wakeAt: now,
    deadlineAt: now + step.timeoutMs,
  };
}

export function currentTask(model: Model, state: DeploymentState, target: number): TaskId {
  const { step, group } = at(state.targets, target);
  return taskId({ deployment: model.id, target, step, group });
}

function inputsOf(model: Model, state: DeploymentState, target: number, from: Step['inputs']): JsonObject {
  const inputs: Record<string, Json> = {};
  for (const [name, input] of Object.entries(from)) {
    const value = resolve(model, state, target, input);
    if (value !== undefined) inputs[name] = value;
  }
  return inputs;
}

function resolve(model: Model, state: DeploymentState, index: number, input: Input): Json | undefined {
  const target = targetOf(model, index);
  if ('value' in input) return input.value;
  if ('target' in input) return target.facts[input.target];
  if ('members' in input) return target.members;
  if ('script' in input) return model.plan.scripts?.[input.script];
  if ('fields' in input) return inputsOf(model, state, index, input.fields);
  if ('release' in input) return releaseOf(model, target, input.release);
  if ('outcome' in input) return outcomeOf(model, state);
  if ('opened' in input) return openedAt(model, state, index, input.opened);
  if ('force' in input) return model.plan.force;
  if ('files' in input) return plannedFiles(model.plan, target);
  if ('secrets' in input) return fileSecrets(model.plan, target);
  const record = at(state.targets, index);
  if ('asFound' in input) return record.held ?? [];
  return record.outputs[input.from]?.[input.output];
}

function openedAt(model: Model, state: DeploymentState, target: number, what: true | 'batch'): number | null {
  return what === 'batch' ? (state.lanes[placeOf(model, target).lane]?.openedAt ?? null) : state.openedAt;
}

/** Only the step that makes its files is given what they are made of. */
function releaseOf({ plan }: Model, { release }: PlanTarget, how: true | 'shown'): Json {
  const found = release === null ? undefined : plan.releases[release];
  if (!found) return null;
  const { properties: _, reports, version, ...rest } = found;
  return { ...rest, version: how === 'shown' ? (reports ?? version) : version };
}
