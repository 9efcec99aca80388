import { type Changes, changesOf } from '../domain/changes.ts';
import { EdgeError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event.ts';
import type { DeploymentId, PlanHash, TaskId } from '../domain/ids.ts';
import type { Plan, PlanVerb } from '../domain/plan.ts';
import { type Explained, explain } from '../plan/explain.ts';
import { renderPlan } from '../plan/render.ts';
import type { DeploymentRow, OutputRow, Views } from '../ports/views.ts';
import { advanceView } from '../projections/advance-view.ts';
import type { DeploymentView } from '../projections/deployment-view.ts';
import { initialView } from '../projections/deployment-view.ts';
import { type Wait, waitsOf, withProgress } from '../projections/waits.ts';
import { authorize, type Caller } from './caller.ts';
import { mustBePlace, releasesOf } from './documents.ts';
import type { OperationPorts } from './ports.ts';

const USUAL_LIMIT = 100;
const EVENTS_AT_ONCE = 5_000;
const ROWS_AT_ONCE = 1_000;

export type DeploymentsInput = {
  readonly project?: string;
  readonly environment?: string;
  readonly ended?: boolean;
  readonly verb?: PlanVerb;
  readonly besides?: PlanVerb;
  readonly limit?: number;
};

export async function deployments(
  { views, records }: OperationPorts,
  caller: Caller,
  input: DeploymentsInput,
): Promise<{ readonly deployments: readonly DeploymentRow[] }> {
  authorize(caller, 'deployment.read');
  const found = await views.deployments({ limit: USUAL_LIMIT, ...input });
  if (found.length === 0) await mustBePlace(records, input);
  return { deployments: found };
}

export type OneDeployment = { readonly deployment: DeploymentId };
export type DeploymentOutput = {
  readonly deployment: DeploymentRow;
  readonly view: DeploymentView;
  readonly waits: readonly Wait[];
};

/** One deployment with every target and what it waits for. Throws `deployment_unknown`. */
export async function deployment(
  { views, clock }: OperationPorts,
  caller: Caller,
  input: OneDeployment,
): Promise<DeploymentOutput> {
  authorize(caller, 'deployment.read');
  const row = await mustSee(views, caller, input.deployment);
  const [view, tasks] = await Promise.all([loadView(views, input.deployment), views.tasks(input.deployment)]);
  return {
    deployment: row,
    view: withProgress(view, tasks),
    waits: row.ended ? [] : waitsOf(view, tasks, clock.now()),
  };
}

/** The plan as it is kept, and for people: without the notes and the capacity of when it was made. */
export type DeploymentPlanOutput = {
  readonly hash: PlanHash;
  readonly plan: Plan;
  readonly explained: Explained;
  readonly text: string;
};

export async function deploymentPlan(
  { views }: OperationPorts,
  caller: Caller,
  input: OneDeployment,
): Promise<DeploymentPlanOutput> {
  authorize(caller, 'deployment.read');
  const { planHash: hash } = await mustSee(views, caller, input.deployment);
  const plan = await planOf(views, input.deployment);
  const explained = explain({ plan, hash });
  return { hash, plan, explained, text: renderPlan(explained) };
}

/** Releases are looked at as they are now: one that was forgotten since is missing. */
export async function deploymentChanges(
  { views, records }: OperationPorts,
  caller: Caller,
  input: OneDeployment,
): Promise<{ readonly changes: Changes | null }> {
  authorize(caller, 'deployment.read');
  const row = await mustSee(views, caller, input.deployment);
  const plan = await planOf(views, input.deployment);
  return { changes: changesOf(plan, await releasesOf(records, row.project)) };
}

export async function deploymentEvents(
  { views }: OperationPorts,
  caller: Caller,
  input: OneDeployment & { readonly after?: number; readonly limit?: number },
): Promise<{ readonly events: readonly StoredEvent[] }> {
  authorize(caller, 'deployment.read');
  await mustSee(views, caller, input.deployment);
  return { events: await views.events(input.deployment, input.after ?? 0, input.limit ?? ROWS_AT_ONCE) };
}

export type LogsInput = OneDeployment & {
  readonly target?: string;
  readonly task?: TaskId;
  readonly after?: number;
  readonly limit?: number;
};

export async function logs(
  { views }: OperationPorts,
  caller: Caller,
  input: LogsInput,
): Promise<{ readonly rows: readonly OutputRow[] }> {
  authorize(caller, 'logs.read');
  await mustSee(views, caller, input.deployment);
  return { rows: await views.output({ after: 0, limit: ROWS_AT_ONCE, ...input }) };
}

/** Throws `deployment_unknown`. */
export async function mustExist(views: Views, id: DeploymentId): Promise<DeploymentRow> {
  const [row] = await views.deployments({ id, limit: 1 });
  if (row) return row;
  throw new EdgeError('deployment_unknown', `There is no deployment ${id}`);
}

/** What commands on targets wrote is for those who may run them. Throws `deployment_unknown`, `permission_denied`. */
export async function mustSee(views: Views, caller: Caller, id: DeploymentId): Promise<DeploymentRow> {
  const row = await mustExist(views, id);
  if (row.verb === 'exec') authorize(caller, 'host.exec');
  return row;
}

/** Throws `deployment_unknown`. */
export async function planOf(views: Views, id: DeploymentId): Promise<Plan> {
  const plan = await views.plan(id);
  if (plan) return plan;
  throw new EdgeError('deployment_unknown', `There is no deployment ${id}`);
}

/** The view of a deployment up to a version, by default the newest. */
export async function loadView(
  views: Views,
  id: DeploymentId,
  upTo = Number.POSITIVE_INFINITY,
): Promise<DeploymentView> {
  let view = initialView(await planOf(views, id));
  while (view.overall.version < upTo) {
    const limit = Math.min(EVENTS_AT_ONCE, upTo - view.overall.version);
    const events = await views.events(id, view.overall.version, limit);
    view = advanceView(view, events);
    if (events.length < limit) break;
  }
  return view;
}
