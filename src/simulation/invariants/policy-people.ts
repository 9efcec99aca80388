import type { Command } from '../../domain/command.ts';
import type { Event } from '../../domain/event.ts';
import { parseTaskId } from '../../domain/ids.ts';
import { readsOf } from '../../domain/plan.ts';
import {
  FAILED,
  isAtEnd,
  isInNextBatch,
  isInOpenBatch,
  type Recount,
  stepAt,
  waitsForPeople,
} from '../recount.ts';
import { type Asked, final, forNow, type PersonsCommand, type Refusal } from './asked.ts';
import { ofApproval } from './policy-approvals.ts';

/** Why a command of a person cannot be obeyed, if it cannot; whether others hold the target's members is for who sees holds. */
export function refusalOf(
  story: Recount,
  command: PersonsCommand & { readonly by?: string },
  nowMs = 0,
): Refusal | undefined {
  if (command.kind === 'approve' || command.kind === 'promote') return ofApproval(story, command, nowMs);
  if (waitsForPeople(story) && command.kind !== 'abort') return forNow('it waits for approvals');
  switch (command.kind) {
    case 'abort':
      return undefined;
    case 'pause':
      return story.stop ? final('it is stopping') : undefined;
    case 'resume':
      if (story.status !== 'paused') return forNow('it is not paused');
      return isHookOpen(story) ? forNow('a hook is not done') : undefined;
    case 'rollback':
      if (story.plan.verb === 'rollback') return final('it is a rollback');
      return story.stop ? final('it is stopping') : undefined;
    case 'retry':
    case 'skip':
      return ofTarget(story, command);
    case 'resolve':
      return ofResult(story, command);
    default:
      return command satisfies never;
  }
}

/** Of a batch that waits for it; in a rollback, and at the end, it stops nothing. */
const isHookOpen = (story: Recount): boolean =>
  story.plan.verb !== 'rollback' &&
  !isAtEnd(story) &&
  story.targets.some((target) => target.isHook && FAILED.has(target.status) && isInOpenBatch(story, target));

function ofTarget(
  story: Recount,
  { kind, target: index }: Extract<PersonsCommand, { kind: 'retry' | 'skip' }>,
): Refusal | undefined {
  const target = story.targets[index];
  if (!target) return final('there is no such target');
  const { status } = target;
  if (kind === 'retry') {
    if (story.stop) return final('it is stopping');
    if (!FAILED.has(status)) return forNow(`it is ${status}`);
    return isInOpenBatch(story, target) || isInNextBatch(story, target)
      ? undefined
      : final('its batch is over');
  }
  if (status === 'succeeded' || status === 'skipped') return final(`it is ${status}`);
  if (!target.isOpen) return undefined;
  if (story.stop) return forNow('it is brought to its end');
  return target.isLeftOut ? forNow('it is being left out') : undefined;
}

/** Only of the task that failed last in an open batch; as done only what no balancer shows and nothing may still do. */
function ofResult(
  story: Recount,
  { task, as, ended }: Extract<PersonsCommand, { kind: 'resolve' }>,
): Refusal | undefined {
  const { target: index, step, group } = parseTaskId(task);
  const target = story.targets[index];
  if (!target) return final('there is no such target');
  if (story.stop) return final('it is stopping');
  if (group < target.group || (group === target.group && step < target.step)) return final('it is of before');
  if (group !== target.group || step !== target.step) return forNow('it is of another attempt');
  const { status } = target;
  if (status !== 'failed' && status !== 'unknown') return forNow(`it is ${status}`);
  if (isInNextBatch(story, target)) return forNow('its turn has not come');
  if (!isInOpenBatch(story, target)) return final('its batch is over');
  if (as === 'failed') return status === 'failed' ? forNow('it is failed') : undefined;
  const of = stepAt(story, target, step);
  if (of?.hold === 'take' || of?.hold === 'give') return final('the balancer shows it');
  if (of && isRead(story, target.place.of.sequence, of.id)) return final('a later step reads it');
  if (target.mayRun === 'lost') return final('a worker may be at it');
  return target.mayRun === 'maybe' && !ended ? final('it may still run') : undefined;
}

/** Whether a step of the sequence has an output of this one for an input. */
const isRead = ({ plan }: Recount, sequence: string, id: string): boolean =>
  (plan.sequences[sequence] ?? []).some(({ inputs }) =>
    Object.values(inputs).some((input) => readsOf(input).includes(id)),
  );

type At = { readonly nowMs: number; readonly isTakenByOthers: (target: string) => boolean };

/** What is wrong with the answer to a command: obeyed against the log, or refused with nothing in the log that speaks against it. */
export function wrongAnswer(
  story: Recount,
  event: Event,
  asked: Asked,
  { nowMs, isTakenByOthers }: At,
): string | undefined {
  const refusal = refusalOf(story, asked, nowMs);
  if (event.kind !== 'command.refused')
    return !refusal || refusal.isUnsure
      ? undefined
      : `${asked.kind} by ${asked.by} is obeyed, and ${refusal.why}`;
  if (event.command !== asked.kind) return `${asked.kind} by ${asked.by} is answered as ${event.command}`;
  if (
    refusal ||
    (asked.kind === 'resolve' && needsMembers(story, asked) && isTakenByOthers(nameOf(story, asked.task)))
  )
    return undefined;
  return `${asked.kind} by ${asked.by} is refused (${event.why}), and nothing speaks against it`;
}

/** Who goes on with it needs what it has parked, if it has. */
function needsMembers(story: Recount, { task, as }: Extract<PersonsCommand, { kind: 'resolve' }>): boolean {
  return as === 'succeeded' && story.targets[parseTaskId(task).target]?.isHeld === true;
}

const nameOf = ({ plan }: Recount, task: Extract<PersonsCommand, { kind: 'resolve' }>['task']): string =>
  plan.targets[parseTaskId(task).target]?.name ?? '';

export const isOfPerson = (command: Command): command is Command & Asked =>
  command.kind !== 'report' && command.kind !== 'deadline' && command.kind !== 'wake';

/** What is asked for is so already, and nothing has to be said of it. */
export const isAlreadyAborted = ({ stop }: Recount, { kind }: Asked): boolean =>
  kind === 'abort' && stop?.abort === true;

/** Whether an event says what was asked for, and not something else. */
export function isAnswer(event: Event, asked: Asked): boolean {
  if (!('by' in event) || event.by !== asked.by) return false;
  if (event.kind === 'command.refused') return true;
  switch (asked.kind) {
    case 'pause':
      return event.kind === 'deployment.paused';
    case 'resume':
      return event.kind === 'deployment.resumed';
    case 'abort':
      return event.kind === 'deployment.stopping' && event.abort;
    case 'rollback':
      return event.kind === 'deployment.stopping' && event.next === 'rollback';
    case 'approve':
      return event.kind === 'deployment.approved';
    case 'promote':
      return event.kind === 'deployment.promoted';
    case 'retry':
      return event.kind === 'target.retried' && event.target === asked.target;
    case 'skip':
      return ['target.skipped', 'task.cancelling'].includes(event.kind) && targetOf(event) === asked.target;
    case 'resolve': {
      const { target, step, group } = parseTaskId(asked.task);
      if (event.kind !== 'task.resolved' || event.as !== asked.as) return false;
      return event.target === target && event.step === step && event.group === group;
    }
    default:
      return asked satisfies never;
  }
}

const targetOf = (event: Event): number | undefined => ('target' in event ? event.target : undefined);
