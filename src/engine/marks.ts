import type { Event } from '../domain/event.ts';
import { deploys } from '../domain/plan.ts';
import type { Commit } from '../ports/journal.ts';
import { at } from './chunks.ts';
import { keptOut } from './kept-out.ts';
import { taking } from './ledger.ts';
import { isHook, type Model, targetOf } from './model.ts';
import type { DeploymentState, TargetState } from './state.ts';

/** What the events of a turn leave behind beside the log: holds, and which release is where. */

/** The holds that events take, leave behind with an owner, or give back, and what is kept out meanwhile. */
export function holdsOf(
  model: Model,
  events: readonly Event[],
): Pick<Commit, 'takeHolds' | 'parkHolds' | 'giveHolds' | 'keepOut'> {
  const name = (target: number) => targetOf(model, target).name;
  return {
    takeHolds: events.flatMap((event) =>
      event.kind === 'capacity.taken'
        ? event.members.map((member) => taking(model.id, name(event.target), member))
        : [],
    ),
    parkHolds: events.flatMap((event, index) =>
      (event.kind === 'target.failed' || event.kind === 'target.skipped') && event.parked
        ? isTakenLater(events, index, event.target)
          ? []
          : [{ target: name(event.target), reason: event.reason }]
        : [],
    ),
    giveHolds: events.flatMap((event) =>
      event.kind === 'capacity.given' ? [{ target: name(event.target) }] : [],
    ),
    keepOut: events.flatMap((event) => keptOut(model, event)),
  };
}

/** A person has said in the same lot that its step succeeded after all, and it goes on. */
function isTakenLater(events: readonly Event[], index: number, target: number): boolean {
  return events.some((event, at) => at > index && event.kind === 'capacity.taken' && event.target === target);
}

/** The releases that targets have got. */
export function placedBy(model: Model, events: readonly Event[]): Commit['placed'] {
  if (!deploys(model.plan.verb)) return [];
  return events.flatMap((event) => {
    if (event.kind !== 'target.succeeded') return [];
    const { name, release, hook } = targetOf(model, event.target);
    return release === null || hook ? [] : [{ target: name, release }];
  });
}

/**
 * Whatever ended it: it may be other than it was before. One whose pools were only looked at is not. The word of a person that
 * it is well proves nothing.
 */
export function unprovenBy(
  model: Model,
  state: DeploymentState,
  events: readonly Event[],
): Commit['unproven'] {
  if (!deploys(model.plan.verb)) return [];
  const unsure = events.flatMap((event) => {
    if (event.kind === 'target.succeeded') return [event.target];
    if (event.kind === 'target.skipped') return at(state.targets, event.target).touched ? [event.target] : [];
    return event.kind === 'target.failed' && at(state.targets, event.target).touched ? [event.target] : [];
  });
  const isProven = ({ status, unverified }: TargetState) => status === 'succeeded' && !unverified;
  return unsure
    .filter((target) => !isHook(model, target) && !isProven(at(state.targets, target)))
    .map((target) => targetOf(model, target).name);
}
