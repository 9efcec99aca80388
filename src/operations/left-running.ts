import type { Event } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { type Plan, stepsOfTarget } from '../domain/plan.ts';
import type { TargetConfig } from '../domain/project-environment.ts';
import type { LeftRunning } from '../plan/request.ts';
import type { DeploymentRow, Fleet } from '../ports/views.ts';
import { planOf } from './deployments.ts';
import type { PlaceRequest } from './documents.ts';
import type { OperationPorts } from './ports.ts';
import { isParked } from './survey.ts';

/** So many ended deployments are looked through; each in which something failed costs its whole log. */
const MOST = 5;
const EVENTS_AT_ONCE = 5_000;

/**
 * Steps whose end nobody has seen: neither did a later deployment bring their target to a good end, nor did a person say that they are
 * done. A healthy fleet costs one question.
 */
export async function leftRunning(
  ports: OperationPorts,
  { project, environment }: PlaceRequest,
  targets: readonly Pick<TargetConfig, 'name'>[],
): Promise<readonly LeftRunning[]> {
  const fleet = await ports.views.fleet({ project, environment });
  const sought = new Set(targets.map(({ name }) => name).filter(mayHaveLeft(fleet)));
  if (sought.size === 0) return [];
  const rows = await ports.views.deployments({
    ...{ project, environment, deploys: true },
    ...{ ended: true, limit: MOST },
  });
  const left = new Map<string, LeftRunning>();
  for (const row of rows.toReversed()) await follow(ports, row, left);
  return [...left.values()].filter(({ target }) => sought.has(target));
}

/** Every other target was seen well by the last deployment that worked on it. */
function mayHaveLeft({ holds, targets }: Fleet): (target: string) => boolean {
  const parked = new Set(holds.filter(isParked).map(({ target }) => target));
  const proven = new Set(targets.flatMap(({ target, unproven }) => (unproven ? [] : [target])));
  return (target) => parked.has(target) || !proven.has(target);
}

async function follow(
  { views }: OperationPorts,
  { id, counts }: DeploymentRow,
  left: Map<string, LeftRunning>,
): Promise<void> {
  const plan = await planOf(views, id);
  if (counts.succeeded === counts.total) for (const { name } of plan.targets) left.delete(name);
  else for await (const event of eventsOf(views, id)) count({ plan, id, left }, event);
}

async function* eventsOf(views: OperationPorts['views'], id: DeploymentId): AsyncGenerator<Event> {
  for (let after = 0; ; after += EVENTS_AT_ONCE) {
    const events = await views.events(id, after, EVENTS_AT_ONCE);
    for (const { event } of events) yield event;
    if (events.length < EVENTS_AT_ONCE) return;
  }
}

type Count = {
  readonly plan: Plan;
  readonly id: DeploymentId;
  readonly left: Map<string, LeftRunning>;
};

/** To try again proves nothing: what an earlier attempt has left goes on beside the new one. */
function count({ plan, id, left }: Count, event: Event): void {
  const name = 'target' in event ? plan.targets[event.target]?.name : undefined;
  if (name === undefined) return;
  if (event.kind === 'task.unknown')
    left.set(name, {
      target: name,
      step: stepsOfTarget(plan, event.target)[event.step]?.id ?? '',
      deployment: id,
    });
  else if (event.kind === 'target.succeeded' || (event.kind === 'task.resolved' && event.as === 'succeeded'))
    left.delete(name);
}
