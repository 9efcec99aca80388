import type { BalancerConfig, MemberRef } from '../domain/balancer.ts';
import type { KeptMember } from '../domain/capacity.ts';
import type { Event } from '../domain/event.ts';
import type { Step } from '../domain/plan.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { KeepOut } from '../ports/journal.ts';
import { type Model, stepOf, targetOf } from './model.ts';

/**
 * What an event changes in what is kept out of service: all that a drain has taken out, until the return of its target begins.
 * Once that has begun nobody takes out again what it may have returned, whatever becomes of it.
 */
export function keptOut(model: Model, event: Event): readonly KeepOut[] {
  if (event.kind === 'task.succeeded') {
    const step = stepOf(model, event.target, event.step);
    return step.hold === 'keep' ? [ofTarget(model, event.target, membersOf(step, event.outputs))] : [];
  }
  if (event.kind !== 'tasks.granted') return [];
  return event.targets
    .filter((target, index) => stepOf(model, target, event.steps[index] ?? -1).hold === 'give')
    .map((target) => ofTarget(model, target, []));
}

function ofTarget(model: Model, target: number, members: readonly KeptMember[]): KeepOut {
  const { name, pool } = targetOf(model, target);
  return { target: name, pool, members };
}

function membersOf(step: Step, { members }: JsonObject): readonly KeptMember[] {
  const configs = balancersOf(step);
  const left: readonly Json[] = Array.isArray(members) ? members : [];
  return left.filter(isLeftOut).flatMap(({ balancer, pool, member, admin }) => {
    const reach = configs[balancer];
    return reach === undefined ? [] : [{ balancer, pool, member, as: admin, reach }];
  });
}

/** As the planner wrote them. */
function balancersOf({ inputs: { balancers } }: Step): Readonly<Record<string, BalancerConfig>> {
  return balancers && 'value' in balancers
    ? (balancers.value as unknown as Readonly<Record<string, BalancerConfig>>)
    : {};
}

type LeftOut = MemberRef & { readonly admin: KeptMember['as'] };

/** A worker of another make may say anything: what it does not say in full is not kept. */
function isLeftOut(value: unknown): value is LeftOut {
  if (typeof value !== 'object' || value === null) return false;
  const { balancer, pool, member, admin } = value as Partial<Record<keyof LeftOut, unknown>>;
  const isNamed = [balancer, pool, member].every((name) => typeof name === 'string');
  return isNamed && (admin === 'drained' || admin === 'offline');
}
