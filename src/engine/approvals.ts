import { waitsFor } from '../domain/approval.ts';
import type { Command } from '../domain/command.ts';
import type { Event } from '../domain/event.ts';
import type { RecordVersion } from '../domain/records.ts';
import type { Facts } from './facts.ts';
import type { Model } from './model.ts';
import type { DeploymentState } from './state.ts';

type Deciding = Extract<Command, { kind: 'approve' | 'promote' }>;

/** It has not begun, and does not begin before it is approved, or promoted. */
export function waitsForApprovals({ plan }: Model, { status, stop }: DeploymentState): boolean {
  return plan.approvals !== undefined && status === 'pending' && stop === null;
}

/** The last approval that was missing starts it in the same commit, and so does who promotes it. */
export function decideApproval(
  model: Model,
  state: DeploymentState,
  command: Deciding,
  facts: Facts,
): readonly Event[] | string {
  const why = refusal(model, state, command, facts);
  if (why !== undefined) return why;
  const { by, reason } = command;
  if (command.kind === 'promote')
    return [{ kind: 'deployment.promoted', by, reason }, { kind: 'deployment.started' }];
  const approved: Event = { kind: 'deployment.approved', by, planHash: command.planHash, reason };
  const isLast = state.approvedBy.length + 1 >= (model.plan.approvals?.count ?? 0);
  return isLast ? [approved, { kind: 'deployment.started' }] : [approved];
}

function refusal(
  model: Model,
  state: DeploymentState,
  command: Deciding,
  { now, changed }: Facts,
): string | undefined {
  if (!waitsForApprovals(model, state)) return 'it does not wait for approvals';
  if (state.abortAt !== null && now >= state.abortAt) return 'it has waited for as long as it may';
  if (changed.length > 0)
    return `${changed.map(nameOf).join(', ')} changed after the plan was made; abort it and deploy again`;
  if (command.kind === 'promote') return undefined;
  if (command.planHash !== state.planHash) return 'its plan is another one';
  if (command.by === state.requestedBy) return 'who has asked for it cannot approve it';
  return state.approvedBy.includes(command.by) ? 'that is approved by the same person already' : undefined;
}

const nameOf = ({ kind, key }: RecordVersion): string => `${kind} ${key}`;

/** Said once, when it is driven for the first time. */
export function askedFor({ plan }: Model, { abortAt }: DeploymentState, now: number): Event | undefined {
  if (!plan.approvals || abortAt !== null) return undefined;
  const { count, limitMs } = plan.approvals;
  return { kind: 'approvals.asked', count, abortAt: now + limitMs };
}

type OfApproval = Extract<Event, { kind: 'approvals.asked' | 'deployment.approved' }>;

export function afterApproval({ plan }: Model, state: DeploymentState, event: OfApproval): DeploymentState {
  const { count } = plan.approvals ?? { count: 0 };
  if (event.kind === 'approvals.asked')
    return { ...state, abortAt: event.abortAt, reason: waitsFor({ count }, state.approvedBy.length) };
  const approvedBy = [...state.approvedBy, event.by];
  return { ...state, approvedBy, reason: waitsFor({ count }, approvedBy.length) };
}

/** What must not have changed when these are written: whoever lets it start has read a plan that still holds. */
export function mustHold(
  { madeFrom }: DeploymentState,
  events: readonly Event[],
): { readonly madeFrom?: readonly RecordVersion[] } {
  const lets = events.some(({ kind }) => kind === 'deployment.approved' || kind === 'deployment.promoted');
  return lets ? { madeFrom } : {};
}
