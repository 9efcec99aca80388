import { type GuardOutputs, partName } from '../domain/capacity.ts';
import type { TaskReport } from '../domain/command.ts';
import type { Event } from '../domain/event.ts';
import { parseTaskId } from '../domain/ids.ts';
import type { FailureCause } from '../domain/outcome.ts';
import { deploys, pauseMs } from '../domain/plan.ts';
import type { JsonObject } from '../lib/json.ts';
import { reactionTo, spentBudget } from './budget.ts';
import { askCapacity, isTooLong } from './capacity.ts';
import { at } from './chunks.ts';
import { evolve } from './evolve.ts';
import type { Facts } from './facts.ts';
import { isHook, type Model, stepOf, stepsOf } from './model.ts';
import { cancelling, cancellingAhead, isAtEnd, isStopping } from './running.ts';
import type { DeploymentState } from './state.ts';

type Attempt = Pick<
  Extract<Event, { kind: 'task.succeeded' }>,
  'target' | 'step' | 'group' | 'attempt' | 'worker' | 'startedAt'
>;
type Context = {
  readonly model: Model;
  readonly state: DeploymentState;
  readonly facts: Facts;
  readonly attempt: Attempt;
};

/** What follows from the result of a task that is open. */
export function decideReport(
  model: Model,
  state: DeploymentState,
  report: TaskReport,
  facts: Facts,
): readonly Event[] {
  const { target, step, group } = parseTaskId(report.task);
  const attempt = {
    target,
    step,
    group,
    attempt: report.attempt,
    worker: report.worker,
    startedAt: report.startedAt,
  };
  const context = { model, state, facts, attempt };
  switch (report.outcome.kind) {
    case 'done':
      return onDone(context, report.outcome.outputs);
    case 'failed':
      return onFailed(context, report.outcome);
    case 'unknown':
      return onUnknown(context, report.outcome.seen);
    default:
      return report.outcome satisfies never;
  }
}

function onDone(context: Context, outputs: JsonObject): readonly Event[] {
  const { model, state, attempt } = context;
  const step = stepOf(model, attempt.target, attempt.step);
  const record = at(state.targets, attempt.target);
  if (step.hold === 'take' && !state.stop && !record.skip) {
    const seen = guardOutputs(outputs);
    return seen ? onGuard(context, seen) : onFailed(context, NOTHING_SEEN);
  }
  const isLast = attempt.step === stepsOf(model, attempt.target).length - 1;
  const given = step.hold === 'give';
  const events: Event[] = [{ kind: 'task.succeeded', ...attempt, outputs }];
  if (given) events.push({ kind: 'capacity.given', target: attempt.target });
  if (isLast) events.push({ kind: 'target.succeeded', target: attempt.target });
  else if (record.skip) events.push(endedBetween(state, attempt.target, !given && record.held !== null));
  return events;
}

/** A target that is between two steps when the deployment stops, or when a person has left it out. */
export function endedBetween(state: DeploymentState, target: number, parked: boolean): Event {
  const { skip } = at(state.targets, target);
  if (skip) return { kind: 'target.skipped', target, ...skip, parked };
  return {
    kind: 'target.failed',
    target,
    status: 'aborted',
    reason: state.stop?.reason ?? 'stopped',
    parked,
  };
}

function onGuard({ model, state, facts, attempt }: Context, seen: GuardOutputs): readonly Event[] {
  const record = at(state.targets, attempt.target);
  const { event, isOwnDoing } = askCapacity(model, attempt.target, record, seen, facts);
  if (event.kind === 'capacity.taken') return [{ kind: 'task.succeeded', ...attempt, outputs: {} }, event];
  const isWaiting = state.status !== 'running' || isOwnDoing;
  if (isWaiting || !isTooLong(model, event.since, state.resumedAt, facts.now)) return [event];
  return [event, pausedBy(model, facts, 'capacity', `no capacity may be taken out: ${whyRefused(event)}`)];
}

function whyRefused({ pool, zone, inService, floor }: Extract<Event, { kind: 'capacity.refused' }>): string {
  if (floor === 0) return `another deployment holds a member of ${pool}`;
  return `${partName(pool, zone)} would have ${inService} in service, under its floor of ${floor}`;
}

/** A worker of another make may say anything; a log that cannot be decided on would stand still for ever. */
const NOTHING_SEEN: Failed = {
  kind: 'failed',
  error: { code: 'internal', message: 'the guard did not say which pools it saw' },
  retryable: false,
};

/** The worker has checked the outputs against the action's schema. */
function guardOutputs(outputs: JsonObject): GuardOutputs | undefined {
  const isWhole = Array.isArray(outputs.observed) && Array.isArray(outputs.members);
  return isWhole ? (outputs as unknown as GuardOutputs) : undefined;
}

type Failed = Extract<TaskReport['outcome'], { kind: 'failed' }>;

function onFailed(context: Context, { error, retryable }: Failed): readonly Event[] {
  const { model, state, attempt } = context;
  const record = at(state.targets, attempt.target);
  const retry =
    retryable && !isStopping(model, state) && record.cancelling === null ? retried(context) : undefined;
  if (retry) return [{ kind: 'task.retried', ...attempt, error, ...retry }];
  if (record.skip) {
    const parked = record.held !== null;
    return [
      { kind: 'task.failed', ...attempt, error },
      { kind: 'target.skipped', target: attempt.target, ...record.skip, parked },
    ];
  }
  const status = record.cancelling === 'abort' ? 'aborted' : 'failed';
  const cause = record.cancelling === 'deadline' ? 'timeout' : error.cause;
  const reason = whyFailed(context, error.message);
  return [
    { kind: 'task.failed', ...attempt, error },
    ...failedTarget({ model, state, facts: context.facts, target: attempt.target, status, reason, cause }),
  ];
}

/** Of an aborted target what the person said: that is what `edge status` shows of it while it is parked. */
function whyFailed({ state, attempt }: Context, message: string): string {
  const { cancelling } = at(state.targets, attempt.target);
  if (cancelling === 'deadline') return `its deadline has passed; ${message}`;
  return cancelling === 'abort' && state.stop ? state.stop.reason : message;
}

function retried({ model, state, facts, attempt }: Context): { retries: number; wakeAt: number } | undefined {
  const { retries } = stepOf(model, attempt.target, attempt.step);
  const done = at(state.targets, attempt.target).retries;
  if (done >= retries.max) return undefined;
  return { retries: done + 1, wakeAt: facts.now + pauseMs(retries, done) };
}

function onUnknown(context: Context, seen: string): readonly Event[] {
  const { model, state, facts, attempt } = context;
  const step = stepOf(model, attempt.target, attempt.step);
  const { skip } = at(state.targets, attempt.target);
  const retry =
    step.onUnknown === 'retry' && !isStopping(model, state) && !skip ? retried(context) : undefined;
  if (retry)
    return [
      { kind: 'task.retried', ...attempt, error: { code: 'outcome_unknown', message: seen }, ...retry },
    ];
  return [
    { kind: 'task.unknown', ...attempt, seen },
    ...failedTarget({
      model,
      state,
      facts,
      target: attempt.target,
      status: 'unknown',
      reason: seen,
      cause: undefined,
    }),
  ];
}

type FailedTarget = {
  readonly model: Model;
  readonly state: DeploymentState;
  readonly facts: Facts;
  readonly target: number;
  readonly status: 'failed' | 'unknown' | 'aborted';
  readonly reason: string;
  readonly cause: FailureCause | undefined;
};

/** The end of a target without success, and what the deployment does about it (DESIGN.md section 5). */
export function failedTarget(failed: FailedTarget): readonly Event[] {
  const { model, state, target, status, reason } = failed;
  const parked = at(state.targets, target).held !== null;
  const event: Event = { kind: 'target.failed', target, status, reason, parked };
  if (state.status !== 'running' || state.stop || isAtEnd(model, state)) return [event];
  return [event, ...reaction(failed, evolve(model, state, event))];
}

function reaction(
  { model, facts, target, status, reason, cause }: FailedTarget,
  after: DeploymentState,
): readonly Event[] {
  const name = model.plan.targets[target]?.name ?? String(target);
  if (status === 'unknown' && asksAboutUnknown(model))
    return [pausedBy(model, facts, 'unknown', `${name}: ${reason}`)];
  const spent = isHook(model, target) ? whyOfHook(model, cause) : spentBudget(model, after, target);
  if (spent === undefined) return [];
  // The reason of a deployment is for all; what a person's command says is for those who may run one.
  const why = deploys(model.plan.verb) ? `${spent}; ${name}: ${reason}` : `${spent}; ${name}`;
  const how = reactionTo(model, cause);
  if (how === 'pause') return [pausedBy(model, facts, 'budget', why)];
  const next = how === 'rollback' ? 'rollback' : 'nothing';
  const abort = how === 'abort';
  const stopping: Event = {
    kind: 'deployment.stopping',
    by: 'engine',
    abort,
    reason: why,
    next,
    status: 'failed',
  };
  return [stopping, ...(abort ? cancelling(model, after) : cancellingAhead(model, after))];
}

/** What a hook was to see to is not: no budget is for that. A rollback brings back what it can all the same. */
function whyOfHook({ plan }: Model, cause: FailureCause | undefined): string | undefined {
  if (plan.verb === 'rollback') return undefined;
  switch (cause) {
    case 'canary':
      return 'the canary is worse';
    case 'unsure':
      return 'nobody can say whether the canary is worse';
    case 'no-data':
      return 'there is nothing to judge the canary by';
    default:
      return 'a hook has failed';
  }
}

/**
 * Not a rollback: it brings back what it can and is held at its end (DESIGN.md section 5, "Rollback"). Nor a command on targets: it
 * tells what it saw.
 */
const asksAboutUnknown = ({ plan }: Model): boolean => plan.verb !== 'rollback' && deploys(plan.verb);

export function pausedBy(
  model: Model,
  facts: Facts,
  cause: 'budget' | 'unknown' | 'capacity',
  reason: string,
): Event {
  return {
    kind: 'deployment.paused',
    cause,
    by: 'engine',
    reason,
    abortAt: facts.now + model.plan.policy.holdLimitMs,
  };
}
