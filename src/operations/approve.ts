import type { NewDeployment } from '../domain/command.ts';
import { EdgeError, together } from '../domain/errors.ts';
import type { DeploymentId, PlanHash } from '../domain/ids.ts';
import type { RecordVersion } from '../domain/records.ts';
import type { Documents } from '../plan/settings.ts';
import type { DeploymentRow, Views } from '../ports/views.ts';
import type { ApprovalsView } from '../projections/deployment-view.ts';
import { brokenArtifacts } from './artifact-check.ts';
import { authorize, type Caller } from './caller.ts';
import { loadView, planOf } from './deployments.ts';
import { documentsNow } from './inventory.ts';
import { changedSince, listDigest } from './inventory-reads.ts';
import { refuseUnproven } from './path.ts';
import type { OperationPorts } from './ports.ts';
import { mustRun, refused, type Steered, type SteerInput, submit } from './steer.ts';

/** `by`: the log has the answer to it under this name. */
export type Said = Steered & { readonly by: string };

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
export async function approve(ports: OperationPorts, caller: Caller, input: ApproveInput): Promise<Said> {
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
  await submit(ports, caller, { deployment, body: { kind: 'approve', planHash, reason } });
  return { deployment, by: caller.name };
}

/**
 * Lets a deployment start without the approvals that it waits for; the record says who did, and why. Not where its plan is
 * outdated: then it is aborted and asked for again. Throws what `approve` throws, but for `approval_refused`.
 */
export async function promote(ports: OperationPorts, caller: Caller, input: SteerInput): Promise<Said> {
  authorize(caller, 'deployment.promote');
  const { deployment, reason } = input;
  await mustWait(ports, caller, deployment);
  await refuseOutdated(ports, deployment);
  await submit(ports, caller, { deployment, body: { kind: 'promote', reason } });
  return { deployment, by: caller.name };
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
  const asked = await askedOf(ports.views, id);
  const changed = await changedRecords(ports, asked.madeFrom ?? [], plan.environment);
  if (changed.length > 0)
    throw new EdgeError(
      'plan_changed',
      `What the plan of ${id} was made from has changed: ${changed.map(({ kind, key }) => `${kind} ${key}`).join(', ')}`,
      { hint: anew(id) },
    );
  const documents = await documentsNow(ports, plan);
  if (documents.inventory) await refuseOtherTargets(ports, documents, asked);
  await refuseUnproven(ports, plan, documents);
  const broken = together(await brokenArtifacts(ports.artifacts, plan));
  if (broken) throw broken;
}

/** The plan has the targets that the inventory gave then. */
async function refuseOtherTargets(
  { records }: OperationPorts,
  documents: Documents,
  { id, planHash, listed }: Asked,
): Promise<void> {
  if (listDigest(documents) === listed) return;
  const changed = await changedSince(records, documents, planHash);
  throw new EdgeError(
    'plan_changed',
    `The targets of ${id} are others by now: ${changed || 'the inventory said something else then'}`,
    { hint: anew(id) },
  );
}

const anew = (id: DeploymentId): string =>
  `End it with \`edge abort ${id}\`, and deploy again: the new plan is approved anew.`;

/** What a deployment that waits was asked for with. */
type Asked = Pick<NewDeployment, 'id' | 'planHash' | 'madeFrom' | 'listed'>;

async function askedOf(views: Views, id: DeploymentId): Promise<Asked> {
  const [first] = await views.events(id, 0, 1);
  if (first?.event.kind !== 'deployment.created') throw new EdgeError('internal', `${id} has no beginning`);
  return { id, ...first.event };
}

/** Those of the records that have another version by now, or are gone. Host keys, of which there may be many, are read at once. */
async function changedRecords(
  { records }: Pick<OperationPorts, 'records'>,
  read: readonly RecordVersion[],
  environment: string,
): Promise<readonly RecordVersion[]> {
  const hasKeys = read.some(({ kind }) => kind === 'host-key');
  const keys = hasKeys ? await records.list('host-key', `${environment}/`) : [];
  const ofKeys = new Map(keys.map(({ key, version }) => [key, version]));
  const now = await Promise.all(
    read.map(async ({ kind, key }) =>
      kind === 'host-key' ? ofKeys.get(key) : (await records.get(kind, key))?.version,
    ),
  );
  return read.filter(({ version }, index) => now[index] !== version);
}
