import { waitsFor } from '../domain/approval.ts';
import { partName } from '../domain/capacity.ts';
import type { Event, StoredEvent } from '../domain/event.ts';
import type { ApprovalsView, DeploymentView, Overall, TargetView } from './deployment-view.ts';
import { type Changed, Draft } from './view-draft.ts';

/** The view after more events, in order; those that are in it already change nothing. Costs one copy for the whole lot. */
export function advanceView(before: DeploymentView, events: readonly StoredEvent[]): DeploymentView {
  const draft = new Draft(before);
  for (const stored of events) if (stored.version > draft.overall.version) applyEvent(draft, stored);
  return draft.view();
}

/** Gives for each next event what looks different after it, at the cost of that alone. For one reader of one stream. */
export function followView(start: DeploymentView): (next: StoredEvent) => Changed {
  const draft = new Draft(start);
  return (next) => {
    if (next.version > draft.overall.version) applyEvent(draft, next);
    return draft.takeChanges();
  };
}

function applyEvent(draft: Draft, stored: StoredEvent): void {
  const overall = overallAfter(draft.overall, stored);
  draft.overall = { ...overall, version: stored.version };
  const { event, at: since } = stored;
  switch (event.kind) {
    case 'batch.opened':
      draft.batch({ stage: overall.stage, ...event }, () => ({ status: 'running' }));
      return;
    case 'batch.ended':
      draft.batch({ stage: overall.stage, ...event }, ({ counts }) => ({
        status: counts.failed > 0 ? 'failed' : 'succeeded',
      }));
      return;
    case 'tasks.granted':
      for (const [n, target] of event.targets.entries()) {
        const at = event.steps[n] ?? -1;
        draft.target(target, ({ status }) => ({
          ...FRESH_STEP,
          status: 'running',
          ahead: status === 'pending' && draft.isAhead(target, at),
          step: draft.stepId(target, at),
          attempt: 1,
          since,
          mayRun: false,
        }));
      }
      return;
    case 'task.succeeded':
      draft.target(event.target, ({ ahead }) => ({
        ...FRESH_STEP,
        ...(ahead && { status: 'pending', ahead: false }),
        ...{ attempt: event.attempt, worker: event.worker },
      }));
      return;
    case 'task.failed':
      draft.target(event.target, () => ({
        ...{ reason: event.error.message, attempt: event.attempt, worker: event.worker, since },
      }));
      return;
    case 'task.retried':
      draft.target(event.target, () => ({
        ...{ reason: `tries again: ${event.error.message}`, attempt: event.attempt + 1, since },
      }));
      return;
    case 'task.unknown':
      draft.target(event.target, () => ({ reason: event.seen, worker: event.worker, since, mayRun: true }));
      return;
    case 'task.cancelling':
      draft.target(event.target, () => ({ reason: whyCancelled(event) }));
      return;
    case 'task.resolved':
      draft.target(event.target, ({ step }) => resolvedTarget(event, step, since));
      return;
    case 'capacity.refused':
      draft.target(event.target, () => ({
        reason: `waits for capacity: ${partName(event.pool, event.zone)} would have ${event.inService} in service, the floor is ${event.floor}`,
      }));
      return;
    case 'capacity.taken':
      draft.target(event.target, () => ({ reason: null }));
      return;
    case 'target.succeeded':
    case 'target.failed':
    case 'target.skipped':
    case 'target.retried':
      applyTargetEvent(draft, event, since);
      return;
    case 'deployment.created':
    case 'approvals.asked':
    case 'deployment.approved':
    case 'deployment.promoted':
    case 'deployment.started':
    case 'deployment.paused':
    case 'deployment.resumed':
    case 'deployment.stopping':
    case 'deployment.ended':
    case 'stage.opened':
    case 'capacity.given':
    case 'command.refused':
      return;
    default:
      event satisfies never;
  }
}

type TargetEvent = Extract<
  Event,
  { kind: 'target.succeeded' | 'target.failed' | 'target.skipped' | 'target.retried' }
>;

function applyTargetEvent(draft: Draft, event: TargetEvent, since: number): void {
  switch (event.kind) {
    case 'target.succeeded':
      draft.target(event.target, () => ({ ...FRESH_STEP, status: 'succeeded', since, parked: false }));
      return;
    case 'target.failed': {
      const { status, reason, parked } = event;
      draft.target(event.target, () => ({ status, reason, parked, ahead: false, since, progress: null }));
      return;
    }
    case 'target.skipped': {
      const { by, parked } = event;
      const reason = `skipped by ${by}: ${event.reason}`;
      draft.target(event.target, () => ({
        ...{ status: 'skipped', reason, parked, ahead: false, since, progress: null },
      }));
      return;
    }
    case 'target.retried': {
      const reason = `retried by ${event.by}: ${event.reason}`;
      draft.target(event.target, () => ({
        ...FRESH_STEP,
        ...{ status: draft.isInTurn(event.target) ? 'running' : 'pending' },
        ...{ step: null, attempt: 0, group: event.group, since, reason },
        ...{ parked: false, mayRun: false, byHand: null },
      }));
      return;
    }
    default:
      event satisfies never;
  }
}

function whyCancelled(event: Extract<Event, { kind: 'task.cancelling' }>): string {
  if (event.why === 'skip') return `is being ended, to be left out by ${event.by}: ${event.reason}`;
  return event.why === 'abort' ? 'is being ended' : 'took too long, is being ended';
}

/** Behind a step that succeeded it goes on; its members are worked on again. */
function resolvedTarget(
  { as, by, reason }: Extract<Event, { kind: 'task.resolved' }>,
  step: string | null,
  since: number,
): Partial<TargetView> {
  const byHand = `${step} set to ${as} by ${by}: ${reason}`;
  if (as === 'failed') return { status: 'failed', reason: byHand, byHand, since };
  return {
    ...FRESH_STEP,
    ...{ status: 'running', step: null, attempt: 0, since, reason: byHand, byHand },
    ...{ parked: false, mayRun: false },
  };
}

const FRESH_STEP = { reason: null, progress: null, worker: null } as const;

function withApprovals(overall: Overall, change: Partial<ApprovalsView>): Overall {
  const { approvals: before } = overall;
  if (!before) return overall;
  const approvals = { ...before, ...change };
  return { ...overall, approvals, reason: waitsFor(approvals, approvals.given.length) };
}

/** It waits for no approvals any more. */
const withoutWait = (overall: Overall): Overall =>
  overall.approvals ? { ...overall, approvals: { ...overall.approvals, waits: false } } : overall;

function overallAfter(overall: Overall, { event, at }: StoredEvent): Overall {
  switch (event.kind) {
    case 'approvals.asked':
      return withApprovals(overall, { abortAt: event.abortAt });
    case 'deployment.approved': {
      const { by, reason } = event;
      return withApprovals(overall, { given: [...(overall.approvals?.given ?? []), { by, reason, at }] });
    }
    case 'deployment.promoted': {
      const { by, reason } = event;
      return withApprovals(overall, { promoted: { by, reason, at } });
    }
    case 'deployment.started':
      return { ...withoutWait(overall), status: 'running', reason: '', startedAt: at };
    case 'stage.opened':
      return { ...overall, stage: event.stage };
    case 'deployment.paused': {
      const { cause, by, abortAt, reason } = event;
      return { ...overall, status: 'paused', reason, paused: { cause, by, abortAt } };
    }
    case 'deployment.resumed':
      return { ...overall, status: 'running', reason: '', paused: null };
    case 'deployment.stopping': {
      const { next, abort, by, reason } = event;
      return {
        ...withoutWait(overall),
        status: 'running',
        reason,
        paused: null,
        stopping: { next, abort, by },
      };
    }
    case 'deployment.ended': {
      const { status, reason, exceptions, notes, rollback = null } = event;
      return {
        ...overall,
        ...{ status, reason, exceptions, notes, rollback },
        ...{ endedAt: at, paused: null, stopping: null },
      };
    }
    default:
      return overall;
  }
}
