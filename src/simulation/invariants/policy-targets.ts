import { CATALOGUE } from '../../domain/errors.ts';
import type { ByPerson, Event } from '../../domain/event.ts';
import {
  FAILED,
  isAtEnd,
  isPreparing,
  type Recount,
  stepAt,
  type TargetCount,
  targetAt,
} from '../recount.ts';

type OfTarget = Extract<Event, { readonly target: number }>;

/** What is wrong with an event of a target and its tasks, where the log stands (I19, see policy.ts). */
export function wrongWithTarget(story: Recount, event: OfTarget, nowMs: number): string | undefined {
  const target = targetAt(story, event.target);
  const wrong = wrongTask(story, target, event, nowMs) ?? wrongTarget(story, target, event);
  return wrong === undefined ? undefined : `target ${event.target}, ${event.kind}: ${wrong}`;
}

function wrongTask(story: Recount, target: TargetCount, event: OfTarget, nowMs: number): string | undefined {
  if (!('step' in event) || event.kind === 'task.resolved') return undefined;
  if (!target.isOpen || event.step !== target.step) return 'of a step that is not open';
  if ('group' in event && event.group !== target.group) return 'of another attempt group';
  const step = stepAt(story, target, event.step);
  const tries = step?.retries.max ?? 0;
  const isEnding =
    (story.stop !== null && !isAtEnd(story)) || target.cancelling?.why === 'abort' || target.isLeftOut;
  switch (event.kind) {
    case 'task.retried':
      if (target.retries >= tries || isEnding) return 'one try more than it has';
      if (event.error.code === 'outcome_unknown')
        return step?.onUnknown === 'retry' ? undefined : 'tried blindly';
      return isRetryable(event.error.code) && !target.cancelling ? undefined : 'tried again for nothing';
    case 'task.failed':
      if (isEnding || target.cancelling || !isRetryable(event.error.code)) return undefined;
      return target.retries < tries ? `given up after ${target.retries} of ${tries} retries` : undefined;
    case 'task.unknown':
      if (event.worker === null)
        return target.cancelling && nowMs >= target.cancelling.untilMs ? undefined : 'given up too soon';
      return step?.onUnknown === 'retry' && !isEnding && target.retries < tries
        ? 'asked too soon'
        : undefined;
    case 'task.cancelling':
      if (event.why === 'skip')
        return wrongPerson(event) ?? (target.isLeftOut ? 'left out twice' : undefined);
      if (event.why === 'abort' && target.cancelling?.why === 'abort') return 'told twice of one abort';
      if (event.why === 'abort')
        return story.stop?.abort || (story.stop && (isPreparing(story, target) || isAtEnd(story)))
          ? undefined
          : 'cancelled for no abort';
      return target.cancelling ? 'its deadline passes twice' : undefined;
    case 'task.succeeded':
      return undefined;
    default:
      return event satisfies never;
  }
}

/** What a person did is in the record with who and why. */
const wrongPerson = ({ by, reason }: ByPerson): string | undefined =>
  by === '' || by === 'engine' || reason === '' ? 'by nobody, or for no reason' : undefined;

const isRetryable = (code: string): boolean =>
  Object.hasOwn(CATALOGUE, code) && CATALOGUE[code as keyof typeof CATALOGUE].retryable;

function wrongTarget(story: Recount, target: TargetCount, event: OfTarget): string | undefined {
  const done = stepAt(story, target, target.step - 1);
  switch (event.kind) {
    case 'capacity.taken':
      if (target.isHeld && target.status === 'running' && !target.isOpen && !story.stop) return undefined;
      return done?.hold === 'take' && !story.stop ? undefined : 'taken without a guard';
    case 'capacity.given':
      return done?.hold === 'give' ? undefined : 'given back before it was returned';
    case 'capacity.refused':
      if (stepAt(story, target, target.step)?.hold !== 'take') return 'refused without a guard';
      return event.inService < event.floor || (event.floor === 0 && event.inService === 0)
        ? undefined
        : `refused with ${event.inService} in service of at least ${event.floor}`;
    case 'task.resolved':
      return wrongPerson(event);
    case 'target.succeeded':
      return stepAt(story, target, target.step) === undefined ? undefined : 'done before its last step';
    case 'target.retried':
      return wrongPerson(event);
    case 'target.skipped':
      if (event.parked !== target.isHeld) return 'parked, or not, as it is not';
      if (target.isOpen) return 'skipped while its step runs';
      if (target.status === 'running') return undefined;
      return target.status === 'pending' || FAILED.has(target.status)
        ? undefined
        : `skipped while ${target.status}`;
    case 'target.failed':
      if (event.parked !== target.isHeld) return 'parked, or not, as it is not';
      if (target.isLeftOut && event.status !== 'unknown') return 'failed, and was to be left out';
      return event.status === 'aborted' && !story.stop ? 'aborted by nobody' : undefined;
    default:
      return undefined;
  }
}
