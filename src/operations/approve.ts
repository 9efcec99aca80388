import { EdgeError, together } from '../domain/errors.ts';
import type { DeploymentId, PlanHash } from '../domain/ids.ts';
import type { RecordKind, RecordVersion } from '../domain/records.ts';
import type { Documents } from '../plan/settings.ts';
import type { Records } from '../ports/records.ts';
import type { DeploymentRow, Views } from '../ports/views.ts';
import type { ApprovalsView } from '../projections/deployment-view.ts';
import { brokenArtifacts } from './artifact-check.ts';
import { authorize, type Caller } from './caller.ts';
import { loadView, mustExist, planOf } from './deployments.ts';
import { documentsNow } from './inventory.ts';
import { changedSince } from './inventory-reads.ts';
import { refuseUnproven } from './path.ts';
import type { OperationPorts } from './ports.ts';
import { mustRun, refused, type Steered, type SteerInput, submit } from './steer.ts';

export type ApproveInput = SteerInput & {
  /** Of the plan that was read. */
  readonly planHash: PlanHash;
};

/**
 * Says that a deployment may start, by somebody who has read its plan. What the plan was made from is looked at here, so that a
 * refusal is an answer, and again in the commit that counts the approval (docs/decisions/0023). Throws `deployment_unknown`,
 * `deployment_ended`, `verb_refused`, `approval_refused`, `plan_changed`, `release_unproven`, `artifact_unreadable`,
 * `artifact_mismatch`, and what reading an inventory throws.
 */
export async function approve(ports: OperationPorts, caller: Caller, input: ApproveInput): Promise<Steered> {
  authorize(caller, 'deployment.approve');
  const { deployment, planHash, reason } = input;
  const { row, approvals } = await mustWait(ports, caller, deployment);
  if (planHash !== row.planHash)
    throw new EdgeError(
      'plan_changed',
      `The plan of ${deployment} is ${row.planHash.slice(0, 12)}, and not ${planHash.slice(0, 12)}`,
      { where: { path: 'planHash' } },
    );
  if (row.by === caller.name)
    throw new EdgeError('approval_refused', `${deployment} was asked for by ${row.by}, with this token`);
  if (approvals.given.some(({ by }) => by === caller.name))
    throw new EdgeError('approval_refused', `${caller.name} has approved ${deployment} already`);
  await refuseOutdated(ports, deployment);
  return submit(ports, caller, { deployment, body: { kind: 'approve', planHash, reason } });
}

/**
 * Lets a deployment start without the approvals that it waits for; the record says who did, and why. Not where its plan is
 * outdated: then it is aborted and asked for again. Throws what `approve` throws, but for `approval_refused`.
 */
export async function promote(ports: OperationPorts, caller: Caller, input: SteerInput): Promise<Steered> {
  authorize(caller, 'deployment.promote');
  const { deployment, reason } = input;
  await mustWait(ports, caller, deployment);
  await refuseOutdated(ports, deployment);
  return submit(ports, caller, { deployment, body: { kind: 'promote', reason } });
}

async function mustWait(
  ports: OperationPorts,
  caller: Caller,
  id: DeploymentId,
): Promise<{ readonly row: DeploymentRow; readonly approvals: ApprovalsView }> {
  const row = await mustRun(ports, caller, id);
  const { overall } = await loadView(ports.views, id);
  if (!overall.approvals) throw refused(id, 'needs no approval');
  if (!overall.approvals.waits) throw refused(id, 'does not wait for approvals any more');
  return { row, approvals: overall.approvals };
}

/** Its plan could not be carried out as it was read, or would be another one by now. */
async function refuseOutdated(ports: OperationPorts, id: DeploymentId): Promise<void> {
  const plan = await planOf(ports.views, id);
  const changed = await changedRecords(ports, await madeFrom(ports.views, id), plan.environment);
  if (changed.length > 0)
    throw new EdgeError(
      'plan_changed',
      `What the plan of ${id} was made from has changed: ${changed.map(({ kind, key }) => `${kind} ${key}`).join(', ')}`,
      { hint: anew(id) },
    );
  const documents = await documentsNow(ports, plan);
  if (documents.inventory) await refuseOtherTargets(ports, documents, id);
  await refuseUnproven(ports, plan, documents);
  const broken = together(await brokenArtifacts(ports.artifacts, plan));
  if (broken) throw broken;
}

/** The plan has the targets that the inventory gave then: those of now may be others, or nobody knows any more. */
async function refuseOtherTargets(
  ports: OperationPorts,
  documents: Documents,
  id: DeploymentId,
): Promise<void> {
  const { planHash } = await mustExist(ports.views, id);
  const changed = await changedSince(ports.records, documents, planHash);
  if (changed === null) return;
  throw new EdgeError(
    'plan_changed',
    `The targets of ${id} may be others by now: ${changed ?? 'what the inventory gave then is not known any more'}`,
    { hint: anew(id) },
  );
}

const anew = (id: DeploymentId): string =>
  `End it with \`edge abort ${id}\`, and deploy again: the new plan is approved anew.`;

async function madeFrom(views: Views, id: DeploymentId): Promise<readonly RecordVersion[]> {
  const [first] = await views.events(id, 0, 1);
  return first?.event.kind === 'deployment.created' ? (first.event.madeFrom ?? []) : [];
}

/** Those of the records that have another version by now, or are gone. */
async function changedRecords(
  { records }: Pick<OperationPorts, 'records'>,
  read: readonly RecordVersion[],
  environment: string,
): Promise<readonly RecordVersion[]> {
  const versions = new Map<string, number>();
  for (const [kind, ofKind] of Map.groupBy(read, (one) => one.kind)) {
    // Of all but host keys there is one of each kind.
    const prefix = kind === 'host-key' ? `${environment}/` : (ofKind[0]?.key ?? '');
    for (const { key, version } of await listed(records, kind, prefix))
      versions.set(`${kind} ${key}`, version);
  }
  return read.filter(({ kind, key, version }) => versions.get(`${kind} ${key}`) !== version);
}

const listed = (records: Records, kind: RecordKind, prefix: string) => records.list(kind, prefix);
