import type { DeploymentView, TargetView, WatchItem } from '../api/contract.ts';
import { waitsFor } from '../domain/approval.ts';
import { partName } from '../domain/capacity.ts';
import { oneLine } from '../lib/inert-text.ts';
import { labelOf } from './batch-label.ts';
import { counted, moment, timeOfDay, took } from './format.ts';
import { placeOf } from './watched.ts';

type EventItem = Extract<WatchItem, { kind: 'event' }>;
type Event = EventItem['event'];

/**
 * An event as one line of a log, with its time; `null` for events that only the engine and the screen need. `view`: the
 * deployment before or after the event, for the names of targets, steps and batches.
 */
export function eventLine(
  { event, at }: Pick<EventItem, 'event' | 'at'>,
  view: DeploymentView,
): string | null {
  const text = eventWords({ event, at }, view);
  return text === null ? null : `${timeOfDay(at)} ${text}`;
}

/**
 * The same without its time. `begunAt`: when the step of the event was begun, for whoever knows it; left out, the view tells, if it is that
 * from just before the event.
 */
export function eventWords({ event, at, begunAt }: Told, view: DeploymentView): string | null {
  const text = sentence(event, view, { at, begunAt });
  return text === null ? null : oneLine(text);
}

type Told = Pick<EventItem, 'event' | 'at'> & { readonly begunAt?: number | undefined };
type When = Pick<Told, 'at' | 'begunAt'>;

function sentence(event: Event, view: DeploymentView, when: When): string | null {
  const { at } = when;
  switch (event.kind) {
    case 'deployment.created':
      return `created by ${event.by}${event.causedBy ? `, because of ${event.causedBy}` : ''}: ${event.reason}`;
    case 'approvals.asked':
      return `${waitsFor(event, 0)}; aborts by itself at ${moment(event.abortAt, at)}`;
    case 'deployment.approved':
      return `approved by ${event.by}: ${event.reason}`;
    case 'deployment.promoted':
      return `promoted by ${event.by}, without the approvals that are missing: ${event.reason}`;
    case 'deployment.started':
      return 'started';
    case 'deployment.paused':
      return `paused by ${event.by} (${event.cause}): ${event.reason}; aborts by itself at ${moment(event.abortAt, at)}`;
    case 'deployment.resumed':
      return `resumed by ${event.by}: ${event.reason}`;
    case 'deployment.stopping':
      return `stopping by ${event.by}: ${event.reason}${event.next === 'rollback' ? '; a rollback follows' : ''}`;
    case 'deployment.ended':
      return endSentence(event);
    case 'stage.opened':
      return stageSentence(view, event.stage);
    case 'batch.opened':
    case 'batch.ended':
      return batchSentence(event, view);
    case 'command.refused':
      return `refused ${event.command} by ${event.by}: ${event.why}`;
    case 'tasks.granted':
    case 'capacity.taken':
    case 'capacity.given':
      return null;
    default:
      return `${nameOf(view, event.target)} ${targetSentence(event, view, when)}`;
  }
}

/** Nothing where there is one stage only: the batches say it all. */
function stageSentence({ batches }: DeploymentView, index: number): string | null {
  const stages = Math.max(0, ...batches.map(({ stage }) => stage + 1));
  const name = batches.find(({ stage }) => stage === index)?.stageName ?? '';
  return stages > 1 ? `stage ${index + 1} of ${stages}: ${name}` : null;
}

type EndEvent = Extract<Event, { kind: 'deployment.ended' }>;
type BatchEvent = Extract<Event, { kind: 'batch.opened' | 'batch.ended' }>;
type TargetEvent = Extract<Event, { readonly target: number }>;

function endSentence({ status, reason, exceptions, notes, rollback }: EndEvent): string {
  const parts = [
    reason === '' ? status : `${status}: ${reason}`,
    ...(exceptions > 0 && status === 'succeeded'
      ? [
          notes.some((note) => note.startsWith('not done'))
            ? counted(exceptions, 'exception')
            : `${counted(exceptions, 'target')} not on the release${notes.includes('unverified') ? ', or unverified' : ''}`,
        ]
      : []),
    ...notes,
    ...(rollback === undefined ? [] : [`rolled back by ${rollback}`]),
  ];
  return parts.join('; ');
}

function batchSentence({ kind, lane, batch }: BatchEvent, view: DeploymentView): string | null {
  const stage = view.overall.stage;
  const found = view.batches.find((each) => placeOf(each) === placeOf({ stage, lane, batch }));
  if (!found) return null;
  const { counts } = found;
  const what = `batch ${labelOf(view.batches, found)}`;
  if (kind === 'batch.opened') return `${what}: ${counted(counts.total, 'target')}`;
  return `${what} ended: ${counts.succeeded} done, ${counts.failed} failed, ${counts.skipped} skipped`;
}

type DoneEvent = Extract<Event, { kind: 'task.succeeded' }>;
type OfTarget = Exclude<TargetEvent, { kind: 'capacity.taken' | 'capacity.given' }>;

function targetSentence(event: OfTarget, view: DeploymentView, when: When): string {
  switch (event.kind) {
    case 'task.succeeded':
      return `${stepName(view, event)} done${timeOfStep(view, event, when)}`;
    case 'task.failed':
      return `${stepName(view, event)} failed (${event.error.code}): ${event.error.message}`;
    case 'task.retried':
      return `${stepName(view, event)} is tried again (${event.error.code}): ${event.error.message}`;
    case 'task.unknown':
      return `${stepName(view, event)} is unknown: ${event.seen}`;
    case 'task.cancelling':
      return `${stepName(view, event)} is being ended: ${whyEnded(event)}`;
    case 'task.resolved':
      return `${stepName(view, event)} set to ${event.as} by ${event.by}: ${event.reason}`;
    case 'capacity.refused':
      return `waits for capacity: ${partName(event.pool, event.zone)} would have ${event.inService} in service, the floor is ${event.floor}`;
    case 'target.succeeded':
      return 'succeeded';
    case 'target.failed':
      return `${event.status}: ${event.reason}${event.parked ? '; parked' : ''}`;
    case 'target.skipped':
      return `skipped by ${event.by}: ${event.reason}${event.parked ? '; parked' : ''}`;
    case 'target.retried':
      return `retried by ${event.by}: ${event.reason}`;
    default:
      return event satisfies never;
  }
}

function whyEnded(event: Extract<Event, { kind: 'task.cancelling' }>): string {
  if (event.why === 'skip') return `left out by ${event.by}: ${event.reason}`;
  return event.why === 'abort' ? 'aborted' : 'it took too long';
}

/** From when the step was begun, over all its attempts and waits. */
function timeOfStep(view: DeploymentView, { target, startedAt }: DoneEvent, { at, begunAt }: When): string {
  const since = begunAt ?? view.targets[target]?.since ?? startedAt;
  return since === null ? '' : ` in ${took(at - since)}`;
}

const nameOf = (view: DeploymentView, index: number) => view.targets[index]?.name ?? `target ${index}`;

function stepName(view: DeploymentView, { target, step }: { target: number; step: number }): string {
  const found: TargetView | undefined = view.targets[target];
  const batch = found && view.batches.find((each) => placeOf(each) === placeOf(found));
  return (batch && view.sequences[batch.sequence]?.[step]) ?? `step ${step}`;
}
