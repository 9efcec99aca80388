import { type Hold, memberKey } from '../domain/capacity.ts';
import type { Event } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { type Model, targetOf } from './model.ts';

/** What `decide` may know beside the state: the store's time and who holds what, of all deployments (contract C8). */
export type Facts = {
  /** Ms since the epoch. */
  readonly now: number;
  readonly holds: ReadonlyMap<string, Hold>;
};

export function factsOf(now: number, holds: readonly Hold[]): Facts {
  return { now, holds: new Map(holds.map((hold) => [memberKey(hold), hold])) };
}

/** The facts after an event of this deployment, so that the grants of one lot see each other. */
export function afterEvent(model: Model, facts: Facts, event: Event): Facts {
  switch (event.kind) {
    case 'capacity.taken': {
      const target = targetOf(model, event.target).name;
      const taken = event.members.map((member) => taking(model.id, target, member));
      return {
        ...facts,
        holds: new Map([...facts.holds, ...taken.map((hold) => [memberKey(hold), hold] as const)]),
      };
    }
    case 'capacity.given': {
      const members = new Set(targetOf(model, event.target).members.map(memberKey));
      return { ...facts, holds: new Map([...facts.holds].filter(([key]) => !members.has(key))) };
    }
    default:
      return facts;
  }
}

export function taking(
  deployment: DeploymentId,
  target: string,
  member: Pick<Hold, 'balancer' | 'pool' | 'member' | 'asFound'>,
): Hold {
  return { ...member, deployment, target, phase: 'taken', reason: 'being deployed to' };
}
