import type { Event } from '../../domain/event.ts';
import { type CommandId, type DeploymentId, parseTaskId, type TaskId } from '../../domain/ids.ts';
import { deploys } from '../../domain/plan.ts';
import type { Commit } from '../../ports/journal.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import {
  count,
  FAILED,
  hasEnded,
  isAtEnd,
  isInNextBatch,
  isInOpenBatch,
  isPreparing,
  isShrunk,
  isSpent,
  type Recount,
  type TargetCount,
  targetAt,
  waitsForPeople,
} from '../recount.ts';
import type { Asked } from './asked.ts';
import { begun, isAsking, isLetIn, LATE_MS, outdated, wrongAsking, wrongWait } from './policy-approvals.ts';
import { isAlreadyAborted, isAnswer, isOfPerson, wrongAnswer } from './policy-people.ts';
import { wrongReaction } from './policy-reactions.ts';
import { wrongWithTarget } from './policy-targets.ts';

/**
 * I19: what the engine writes follows from the plan, its policy and what people asked, as a recount of the log has it: steps and
 * batches in order, nothing fresh while paused and nothing at all while stopping, failures up to the budget and not one more,
 * tries up to their number and not one fewer, an abort that reaches all that runs, an end that is true to its targets.
 */
export const policy: MakeInvariant = (eyes) => {
  const stories = new Map<DeploymentId, Recount>();
  const asked = new Map<CommandId, Asked>();
  return {
    see: (fact) => {
      if (fact.kind === 'asked' && isOfPerson(fact.command)) asked.set(fact.command.id, fact.command);
      if (fact.kind !== 'committed' || fact.committed.kind !== 'committed') return;
      const { deployment } = fact.lease;
      const made = eyes.deployments.get(deployment)?.made;
      if (!made) return;
      const story = stories.get(deployment) ?? begun(made);
      stories.set(deployment, story);
      eyes.checked('I19');
      const say = (wrong: string | undefined): void => {
        if (wrong !== undefined) eyes.violate('I19', `${deployment}: ${wrong}`);
      };
      const { now } = fact.committed;
      const { events, handled, cancel, successor } = fact.commit;
      const commands = new Set(handled.flatMap((id) => asked.get(id) ?? []));
      if (commands.size > 0) story.outdated = outdated(eyes, made, now);
      for (const { id } of commands) asked.delete(id);
      const wasEnded = story.status === 'ended';
      let wasPaused = story.status === 'paused';
      const isTaken = (target: string): boolean => isTakenByOthers(eyes, { target, deployment });
      let isStarved = false;
      for (const event of events) {
        const of = commands.values().find((one) => isAnswer(event, one));
        say(of ? wrongAnswer(story, event, of, { nowMs: now, isTakenByOthers: isTaken }) : undefined);
        say(wrongWith(story, event, now, of !== undefined));
        isStarved ||= starves(story, event, now);
        count(story, event);
        wasPaused ||= story.status === 'paused';
        if (of) commands.delete(of);
      }
      for (const left of commands)
        if (!wasEnded && !(wasPaused && left.kind === 'pause') && !isAlreadyAborted(story, left))
          say(`${left.kind} by ${left.by} is not answered`);
      for (const event of events) say(wrongHolds(story, event, fact.commit.takeHolds));
      for (const { task, deadlineAt } of cancel) cancelled(story, task, deadlineAt);
      say(wrongAfter(story, { events, isStarved }, now));
      const isEnd = events.some(({ kind }) => kind === 'deployment.ended');
      if (isEnd)
        say(
          wrongSuccessor(
            story,
            successor?.plan.targets.flatMap(({ name, hook }) => (hook ? [] : [name])),
          ),
        );
    },
    end: () => {
      for (const { kind, by } of asked.values()) eyes.violate('I19', `${kind} by ${by} is in no commit`);
    },
  };
};

const TAKEN = 'SELECT 1 FROM holds WHERE target = ? AND deployment <> ?';

function isTakenByOthers(
  { store }: Eyes,
  { target, deployment }: { target: string; deployment: DeploymentId },
): boolean {
  return store.look(TAKEN, target, deployment).length > 0;
}

/** What goes on by the word of a person is worked on again, and nobody else may take its members. */
function wrongHolds(story: Recount, event: Event, taken: Commit['takeHolds']): string | undefined {
  if (event.kind !== 'task.resolved' || event.as === 'failed') return undefined;
  const { isHeld } = targetAt(story, event.target);
  const name = story.plan.targets[event.target]?.name;
  return !isHeld || taken.some(({ target }) => target === name)
    ? undefined
    : `target ${event.target} goes on while its members are parked`;
}

function cancelled(story: Recount, task: TaskId, untilMs: number): void {
  const target = targetAt(story, parseTaskId(task).target);
  if (target.cancelling) target.cancelling = { ...target.cancelling, untilMs };
}

/** What the log says of a person, who must have asked for it; a target that is being left out is so once its step has ended. */
function isByPerson(story: Recount, event: Event): boolean {
  if (!('by' in event) || event.by === 'engine' || event.kind === 'deployment.created') return false;
  return event.kind !== 'target.skipped' || !targetAt(story, event.target).isLeftOut;
}

/** What is wrong with an event, where the log stands. */
function wrongWith(story: Recount, event: Event, nowMs: number, isAsked: boolean): string | undefined {
  if (story.status === 'ended') return `${event.kind} after the end`;
  if (!isAsked && isByPerson(story, event)) return `${event.kind}, and nobody has asked for it`;
  switch (event.kind) {
    case 'tasks.granted':
      return wrongGrant(story, event);
    case 'stage.opened':
      return isStageDone(story) && isNext(story, event.stage) ? undefined : 'a stage begins before its turn';
    case 'batch.opened':
      return wrongBatch(story, event);
    case 'batch.ended':
      return batchOf(story, event)?.every((index) => hasEnded(targetAt(story, index)))
        ? undefined
        : 'a batch has ended before its targets';
    case 'deployment.paused':
      return wrongPause(story, event, nowMs);
    case 'deployment.resumed':
      return story.status === 'paused' ? undefined : 'it is resumed without being paused';
    case 'deployment.stopping':
      return wrongStop(story, event, nowMs);
    case 'deployment.ended':
      return wrongEnd(story, event);
    case 'approvals.asked':
      return wrongAsking(story, event, nowMs);
    case 'deployment.started':
      return waitsForPeople(story) && !isLetIn(story) ? 'it starts before it is approved' : undefined;
    case 'deployment.created':
    case 'deployment.approved':
    case 'deployment.promoted':
    case 'command.refused':
      return undefined;
    default:
      return wrongWithTarget(story, event, nowMs);
  }
}

const batchOf = (story: Recount, { lane, batch }: { lane: number; batch: number }) =>
  story.plan.stages[story.stage]?.lanes[lane]?.batches[batch]?.targets;

/** One that stops leaves what has not begun. */
const isStageDone = ({ targets, stage, stop }: Recount): boolean =>
  targets.every(
    (target) =>
      target.place.stage !== stage ||
      hasEnded(target) ||
      (stop && target.status === 'pending' && !target.isOpen),
  );

/** The hooks that come last: those of a failure only where it stops, and none where a rollback does them. */
function isNext({ plan, stage, stop }: Recount, next: number): boolean {
  const isDue = (at: number): boolean => {
    const when = plan.stages[at]?.when;
    if (when === undefined) return !stop;
    return stage >= 0 && (when === 'always' || stop !== null);
  };
  return next > stage && isDue(next) && !plan.stages.some((_, at) => at > stage && at < next && isDue(at));
}

function wrongGrant(
  story: Recount,
  { targets, steps }: Extract<Event, { kind: 'tasks.granted' }>,
): string | undefined {
  if (story.stop && !isAtEnd(story)) return 'work begins while it is stopping';
  for (const [n, index] of targets.entries()) {
    const target = targetAt(story, index);
    if (target.isOpen || target.step !== steps[n])
      return `target ${index} is granted step ${steps[n]} out of turn`;
    if (hasEnded(target)) return `target ${index} is granted a step and is ${target.status}`;
    if (target.isLeftOut) return `target ${index} is granted a step and is to be left out`;
    if (target.status !== 'pending') continue;
    if (story.status !== 'running') return `target ${index} begins while it is ${story.status}`;
    if (isInOpenBatch(story, target) || (isPreparing(story, target) && isInNextBatch(story, target)))
      continue;
    return `target ${index} begins before its batch`;
  }
  return tooManyAtOnce(story, targets);
}

/** What a person has set going again is on top; one is prepared even if there is no room for it. */
function tooManyAtOnce(story: Recount, granted: readonly number[]): string | undefined {
  const begun = granted.map((index) => targetAt(story, index)).filter(({ status }) => status === 'pending');
  const running = story.targets.filter(({ status, isHook }) => status === 'running' && !isHook).length;
  const prepared = story.targets.filter((target) => target.isOpen && isPreparing(story, target)).length;
  const toPrepare = begun.filter((target) => isPreparing(story, target)).length;
  const toWorkOn = begun.length - toPrepare;
  const { parallel } = story.plan.policy;
  if (toWorkOn > 0 && running + toWorkOn > parallel) return `${running + toWorkOn} are worked on at once`;
  const open = running + toWorkOn + prepared + toPrepare;
  return toPrepare > 0 && open > parallel && prepared + toPrepare > 1
    ? `${open} are worked on or prepared at once`
    : undefined;
}

function wrongBatch(
  story: Recount,
  { lane, batch }: Extract<Event, { kind: 'batch.opened' }>,
): string | undefined {
  const before = story.lanes[lane];
  return before && !before.isOpen && before.batch + 1 === batch
    ? undefined
    : 'a batch begins before its turn';
}

const asksAboutUnknown = ({ plan }: Recount): boolean => plan.verb !== 'rollback' && deploys(plan.verb);

function wrongPause(
  story: Recount,
  event: Extract<Event, { kind: 'deployment.paused' }>,
  nowMs: number,
): string | undefined {
  const { cause, by } = event;
  if (story.stop || story.status === 'paused')
    return `it is paused while ${story.stop ? 'stopping' : 'paused'}`;
  if (by !== 'engine') return undefined;
  if (cause === 'capacity') {
    const waitedMs = nowMs - Math.max(story.refused?.since ?? Infinity, story.resumedAtMs);
    if (waitedMs < story.plan.policy.capacity.holdAfterMs)
      return `it is held after ${waitedMs} ms without capacity`;
    return story.refused && isShrunk(story, story.refused)
      ? 'it is held by what it has out itself'
      : undefined;
  }
  if (cause === 'unknown') {
    if (!asksAboutUnknown(story)) return `a ${story.plan.verb} asks about a target`;
    return story.targets.some(({ status }) => status === 'unknown')
      ? undefined
      : 'it asks about nothing unknown';
  }
  const failed = story.targets.filter(({ status, isHook }) => !isHook && FAILED.has(status)).length;
  const isHeld = story.plan.verb === 'rollback' && failed > story.accepted;
  if (isHeld) return undefined;
  return isSpent(story) ? wrongReaction(story, 'pause', event) : `it holds at ${nowMs} with budget left`;
}

function wrongStop(
  story: Recount,
  event: Extract<Event, { kind: 'deployment.stopping' }>,
  nowMs: number,
): string | undefined {
  if (event.abort ? story.stop?.abort : story.stop) return 'it stops twice';
  if (event.next === 'rollback' && story.plan.verb === 'rollback') return 'a rollback is rolled back';
  if (event.next === 'rollback' && event.status === 'aborted') return 'what is aborted is rolled back';
  if (event.by !== 'engine') return undefined;
  if (event.status === 'aborted')
    return (story.status === 'paused' || isAsking(story)) && nowMs >= story.abortAtMs
      ? undefined
      : 'it gives up before its time';
  if (!isSpent(story)) return 'it stops with budget left';
  return wrongReaction(
    story,
    event.abort ? 'abort' : event.next === 'rollback' ? 'rollback' : 'nothing',
    event,
  );
}

function wrongEnd(
  story: Recount,
  { status, rollback, notes, exceptions }: Extract<Event, { kind: 'deployment.ended' }>,
): string | undefined {
  if (story.targets.some((target) => target.status === 'running' || target.isOpen))
    return 'it ends while a target is worked on';
  if (rollback && story.stop?.next !== 'rollback') return 'a rollback that nobody wanted';
  const targets = story.targets.filter(({ isHook }) => !isHook);
  const of = (test: (target: TargetCount) => boolean) => targets.filter(test).length;
  const unverified = of((target) => target.status === 'succeeded' && target.isUnverified);
  const hooks = story.stop
    ? 0
    : story.targets.filter((target) => isHookUndone(target) && !isLastHook(story, target)).length;
  if (exceptions !== targets.length - of(({ status: one }) => one === 'succeeded') + unverified + hooks)
    return `it tells of ${exceptions} exceptions`;
  if (!rollback && isHookLeft(story)) return 'it ends before its hooks';
  if (story.stop)
    return story.stop.status === status ? undefined : `it ends ${status}, not ${story.stop.status}`;
  if (of(hasEnded) < targets.length) return 'it ends before its targets';
  const failed = of((target) => FAILED.has(target.status));
  const succeeded = of((target) => target.status === 'succeeded');
  const isRollback = story.plan.verb === 'rollback';
  if (isRollback && failed > story.accepted) return 'a rollback that left targets behind is not held';
  const isCommand = !deploys(story.plan.verb);
  const isFailed = isCommand ? succeeded < targets.length : failed > 0 && (succeeded === 0 || isRollback);
  const right = isFailed ? 'failed' : 'succeeded';
  if (status !== right) return `it ends ${status}, with ${succeeded} done and ${failed} failed`;
  if (notes.some((note) => note.startsWith('not done')) !== story.targets.some(isHookUndone))
    return 'it does not say which hooks were not done';
  return notes.includes('unverified') === (story.plan.hard || unverified > 0)
    ? undefined
    : 'it does not say what was verified';
}

const isHookUndone = ({ isHook, status }: TargetCount): boolean =>
  isHook && (FAILED.has(status) || status === 'skipped');
const isLastHook = ({ plan }: Recount, { place }: TargetCount): boolean =>
  plan.stages[place.stage]?.when !== undefined;

/** One that is due in any case, or for the failure, and has not run. Who is stopped among the last hooks was done with the plan before. */
const isHookLeft = ({ plan, targets, stop, stopStage, stage }: Recount): boolean =>
  stage >= 0 &&
  targets.some((target) => {
    const { when } = plan.stages[target.place.stage] ?? {};
    const isFailure = stop !== null && stopStage < target.place.stage;
    const isDue = target.isHook && (when === 'always' || (when === 'failed' ? isFailure : stop === null));
    return isDue && !hasEnded(target);
  });

/** Whether it waits for capacity for longer than it may, with none of its own out: judged where the engine does, before what follows. */
function starves(story: Recount, event: Event, nowMs: number): boolean {
  if (event.kind !== 'capacity.refused' || isShrunk(story, event)) return false;
  const waitedMs = nowMs - Math.max(event.since, story.resumedAtMs);
  return waitedMs >= story.plan.policy.capacity.holdAfterMs + LATE_MS;
}

type Committed = { readonly events: readonly Event[]; readonly isStarved: boolean };

/** What is wrong with where a commit leaves the deployment. */
function wrongAfter(story: Recount, { events, isStarved }: Committed, nowMs: number): string | undefined {
  const { status, stop, targets } = story;
  if (status === 'paused' && nowMs >= story.abortAtMs + LATE_MS)
    return 'it is paused for longer than it may be';
  if (waitsForPeople(story)) return wrongWait(story, nowMs);
  const isEnding = stop?.abort && !isAtEnd(story);
  if (isEnding && targets.some(({ isOpen, cancelling }) => isOpen && cancelling?.why !== 'abort'))
    return 'what runs is not told of the abort';
  if (stop && targets.some((target) => target.isOpen && isPreparing(story, target) && !target.cancelling))
    return 'what is prepared is not told that nobody needs it';
  if (status !== 'running' || stop) return undefined;
  if (isSpent(story)) return 'it goes on with its budget of failures spent';
  const asks = events.some((event) => event.kind === 'target.failed' && event.status === 'unknown');
  const isAnswered = events.some(({ kind }) => kind === 'deployment.resumed');
  if (asks && !isAnswered && asksAboutUnknown(story)) return 'it goes on after something unknown';
  return isStarved && !isAnswered ? 'it waits for capacity for longer than it may' : undefined;
}

/** A rollback has all that was touched and has a before, and nothing else. */
function wrongSuccessor(story: Recount, names: readonly string[] | undefined): string | undefined {
  const wanted = story.plan.targets.flatMap(({ name, before }, index) => {
    const { isHeld, isTouched } = targetAt(story, index);
    return (isHeld || isTouched) && before !== null ? [name] : [];
  });
  if (!names) {
    const isDue = story.status === 'ended' && story.stop?.next === 'rollback' && wanted.length > 0;
    return isDue && story.plan.verb !== 'rollback' ? 'its rollback is not made' : undefined;
  }
  const missing = new Set(wanted).symmetricDifference(new Set(names));
  return missing.size > 0
    ? `its rollback differs in ${[...missing].join(', ')} from what was touched`
    : undefined;
}
