import type { NewDeployment } from '../../domain/command.ts';
import type { Event } from '../../domain/event.ts';
import type { Eyes } from '../eyes.ts';
import { type Recount, recountOf, waitsForPeople } from '../recount.ts';
import { final, type PersonsCommand, type Refusal } from './asked.ts';

/** What I19 says of deployments that wait for approvals (see policy.ts). */

/** A turn is decided at one moment and committed at another: its process may have been paused between. */
export const LATE_MS = 150_000;

/** What speaks against it that a deployment starts by the word of a person. */
export function ofApproval(
  story: Recount,
  command: Extract<PersonsCommand, { kind: 'approve' | 'promote' }> & { readonly by?: string },
  nowMs: number,
): Refusal | undefined {
  if (!waitsForPeople(story)) return final('it does not wait for approvals');
  if (story.outdated === 'yes') return final('its plan is outdated');
  if (command.kind === 'approve') {
    if (command.planHash !== story.asked.planHash) return final('it is of another plan');
    if (command.by === story.asked.by) return final('it is of who asked for it');
    if (story.approvedBy.has(command.by ?? '')) return final('it is of one who has approved it');
  }
  if (story.outdated === 'perhaps') return { ...final('its plan is outdated'), isUnsure: true };
  const lateMs = story.abortAtMs === 0 ? -1 : nowMs - story.abortAtMs;
  if (lateMs < 0) return undefined;
  return { ...final('its time is over'), ...(lateMs < LATE_MS && { isUnsure: true }) };
}

export function begun({ plan, by, planHash }: NewDeployment): Recount {
  return Object.assign(recountOf(plan), { asked: { by, planHash } });
}

const RECORD = 'SELECT version, at FROM records WHERE kind = ? AND name = ? AND value IS NOT NULL';

/** Whether what its plan was made from has changed. A change at the time of the commit may have come before it or behind it. */
export function outdated(
  { store }: Eyes,
  { madeFrom = [] }: NewDeployment,
  nowMs: number,
): Recount['outdated'] {
  const changed = madeFrom.flatMap(({ kind, key, version }) => {
    const [row] = store.look<{ version: number; at: number }>(RECORD, kind, key);
    return row?.version === version ? [] : [row?.at ?? 0];
  });
  if (changed.length === 0) return 'no';
  return changed.some((at) => at < nowMs) ? 'yes' : 'perhaps';
}

export const isLetIn = ({ plan, approvedBy, isPromoted }: Recount): boolean =>
  isPromoted || approvedBy.size >= (plan.approvals?.count ?? 0);

export function wrongAsking(
  story: Recount,
  { count: asked, abortAt }: Extract<Event, { kind: 'approvals.asked' }>,
  nowMs: number,
): string | undefined {
  const { approvals } = story.plan;
  if (!approvals || !waitsForPeople(story) || story.abortAtMs > 0) return 'it asks for approvals out of turn';
  const waitsMs = abortAt - nowMs;
  const isInTime = waitsMs <= approvals.limitMs && waitsMs > approvals.limitMs - LATE_MS;
  return asked === approvals.count && isInTime ? undefined : 'it asks for other approvals than its plan does';
}

/** It has said what it waits for, and until when. */
export const isAsking = (story: Recount): boolean => waitsForPeople(story) && story.abortAtMs > 0;

/** What is wrong with one that a commit leaves waiting. */
export function wrongWait(story: Recount, nowMs: number): string | undefined {
  if (isLetIn(story)) return 'it is approved, and does not start';
  if (!isAsking(story)) return 'it waits for approvals, and does not say so';
  return nowMs >= story.abortAtMs + LATE_MS ? 'it waits for approvals for longer than it may' : undefined;
}
