import { EdgeError } from '../domain/errors.ts';
import type { DeploymentId, PlanHash } from '../domain/ids.ts';
import { authorize, type Caller } from './caller.ts';
import type { PlaceRequest } from './documents.ts';
import { changedSince, listDigest } from './inventory-reads.ts';
import { makePlan, type PlanInput, type PlannedNow } from './plan.ts';
import type { OperationPorts } from './ports.ts';

export type DeployInput = PlanInput & {
  readonly reason: string;
  /** The plan that was read. */
  readonly planHash?: PlanHash;
};
export type Started = { readonly deployment: DeploymentId; readonly planHash: PlanHash };

/** Plans and starts, or has it wait for approvals. Throws what planning throws, `plan_changed` and `environment_locked`; then nothing was started. */
export async function deploy(ports: OperationPorts, caller: Caller, input: DeployInput): Promise<Started> {
  authorize(caller, 'deployment.start');
  return start(ports, caller, input);
}

/** `deploy` for operations that have looked at the caller already. */
export async function start(ports: OperationPorts, caller: Caller, input: DeployInput): Promise<Started> {
  await refuseLocked(ports, input);
  const planned = await makePlan(ports, input);
  await refuseChanged(ports, planned, input.planHash);
  const { plan, hash: planHash, madeFrom, listed } = planned;
  const id = ports.ids.deployment();
  const created = await ports.journal.create({
    ...{ id, plan, planHash, by: caller.name, reason: input.reason },
    ...(plan.approvals && { madeFrom, ...(listed && { listed: listDigest(listed) }) }),
  });
  switch (created.kind) {
    case 'created':
      return { deployment: id, planHash };
    case 'locked':
      throw await locked(ports, input, created.holder);
    default:
      return created satisfies never;
  }
}

/** A courtesy, before balancers are asked for nothing: the unique key of the lock is what decides. */
async function refuseLocked(ports: OperationPorts, { project, environment }: PlaceRequest): Promise<void> {
  const [active] = await ports.views.deployments({
    ...{ project, environment, deploys: true },
    ...{ ended: false, limit: 1 },
  });
  if (active) throw await locked(ports, { project, environment }, active.id);
}

async function locked(
  { views }: OperationPorts,
  place: PlaceRequest,
  holder: DeploymentId,
): Promise<EdgeError> {
  const [row] = await views.deployments({ id: holder, limit: 1 });
  const who = row
    ? `${row.verb}${row.version === null ? '' : ` of ${row.version}`}, since ${new Date(row.createdAt).toISOString()}, by ${row.by}`
    : 'it has just ended';
  return new EdgeError(
    'environment_locked',
    `${place.project}/${place.environment} is held by the deployment ${holder} (${who})`,
    { hint: `Wait with --wait or \`edge watch ${holder}\`, or end it with \`edge abort ${holder}\`.` },
  );
}

async function refuseChanged(
  { records }: OperationPorts,
  { hash, listed }: PlannedNow,
  read: PlanHash | undefined,
): Promise<void> {
  if (read === undefined || read === hash) return;
  const changed = listed && (await changedSince(records, listed, read));
  const why = changed ? `: since then, ${changed}` : '';
  throw new EdgeError(
    'plan_changed',
    `The plan would be ${hash.slice(0, 12)} now, and not ${read.slice(0, 12)}${why}`,
    { where: { path: 'planHash' } },
  );
}
