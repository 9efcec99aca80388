import { EdgeError } from '../domain/errors.ts';
import type { StoredEvent } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import { hashOf } from '../lib/hash.ts';
import { type DriftPlan, type Put, planDrift, putBy } from '../plan/drift.ts';
import { planHash } from '../plan/hash.ts';
import type { Documents } from '../plan/settings.ts';
import type { DeploymentRow, Fleet, Views } from '../ports/views.ts';
import { advanceView } from '../projections/advance-view.ts';
import { initialView } from '../projections/deployment-view.ts';
import { type Finding, findingsOf } from '../projections/findings.ts';
import { type Span, workSpans } from '../projections/work-spans.ts';
import { authorize, type Caller } from './caller.ts';
import { mustExist, planOf } from './deployments.ts';
import { mustBePlace, type PlaceRequest } from './documents.ts';
import { documentsNow } from './inventory.ts';
import { rememberRead } from './inventory-reads.ts';
import type { OperationPorts } from './ports.ts';
import { untilItRests } from './rest.ts';
import type { Watched } from './watch.ts';

export type DriftInput = PlaceRequest & {
  readonly targets?: readonly string[];
  readonly zones?: readonly string[];
  readonly parallel: number;
  readonly reason: string;
};
export type DriftOutput = {
  readonly deployment: DeploymentId;
  readonly targets: readonly string[];
  readonly leftOut: readonly string[];
};

/**
 * Looks at what is on targets against what Edge put there: beside deployments, since it only reads. Throws what `documentsNow` and
 * `planDrift` throw.
 */
export async function drift(ports: OperationPorts, caller: Caller, input: DriftInput): Promise<DriftOutput> {
  authorize(caller, 'deployment.plan');
  const { plan, leftOut } = await driftPlan(ports, input);
  const id = ports.ids.deployment();
  await beginLook(ports, { id, plan, by: caller.name, reason: input.reason });
  return { deployment: id, targets: plan.targets.map(({ name }) => name), leftOut };
}

const TRIES = 3;

/** What a look at these targets would be now; for the schedule too. */
export async function driftPlan(
  ports: OperationPorts,
  input: Omit<DriftInput, 'reason'>,
): Promise<DriftPlan> {
  const documents = await documentsNow(ports, input);
  for (let tries = 1; ; tries += 1) {
    const fleet = await ports.views.fleet(placeOf(input));
    const planned = await planOver(ports, input, { documents, fleet });
    // What a deployment has put there in the meantime is not what it would be compared with.
    const isNow = hashOf(fleet.targets) === hashOf((await ports.views.fleet(placeOf(input))).targets);
    if (isNow || tries === TRIES) {
      await rememberRead(ports, documents, planHash(planned.plan));
      return planned;
    }
  }
}

const placeOf = ({ project, environment }: PlaceRequest): PlaceRequest => ({ project, environment });

async function planOver(
  { views, platform }: OperationPorts,
  { parallel, targets, zones }: Omit<DriftInput, 'reason'>,
  { documents, fleet }: { readonly documents: Documents; readonly fleet: Fleet },
): Promise<DriftPlan> {
  const unproven = fleet.targets.filter((placed) => placed.unproven).map(({ target }) => target);
  return planDrift(
    {
      ...documents,
      ...{ put: await putOn(views, fleet), unproven: new Set(unproven) },
      ...{ targets: targets ?? null, zones: zones ?? null, parallel },
    },
    platform,
  );
}

/** What the plans of then have put on each target; one after the other, since plans may be large. */
async function putOn(views: Views, { targets }: Fleet): Promise<readonly Put[]> {
  const put: Put[] = [];
  for (const [deployment, placed] of Map.groupBy(targets, (each) => each.deployment)) {
    const names = new Set(placed.map(({ target }) => target));
    put.push(...putBy(await planOf(views, deployment), names));
  }
  return put;
}

type NewLook = {
  readonly id: DeploymentId;
  readonly plan: Plan;
  readonly by: string;
  readonly reason: string;
};

/** With an id that is there already it does nothing. */
export async function beginLook({ journal }: OperationPorts, look: NewLook): Promise<void> {
  const created = await journal.create({ ...look, planHash: planHash(look.plan) });
  if (created.kind !== 'created')
    throw new EdgeError('internal', `${look.id} takes no lock, and was refused one`);
}

export type FindingsInput = {
  readonly deployment: DeploymentId;
  readonly waitMs: number;
  readonly added: boolean;
};
export type FindingsOutput = {
  readonly deployment: DeploymentRow;
  /** `null` while it is under way, and was waited for. */
  readonly findings: readonly Finding[] | null;
};

/**
 * What a look has found, once it has ended, at the latest after `waitMs`: with 0 as it stands now. Throws `deployment_unknown`,
 * `verb_refused`.
 */
export async function findings(
  ports: OperationPorts,
  caller: Caller,
  watched: Watched<FindingsInput>,
): Promise<FindingsOutput> {
  authorize(caller, 'deployment.read');
  const { deployment: id, waitMs, added } = watched.input;
  const { verb } = await mustExist(ports.views, id);
  if (verb !== 'drift')
    throw new EdgeError('verb_refused', `${id} is of the verb ${verb}, and no look at targets`, {
      hint: 'Run `edge history --verb drift` for the looks at targets.',
    });
  const { row, rests } = await untilItRests(ports, watched);
  const isTold = rests || waitMs === 0;
  return { deployment: row, findings: isTold ? await findingsIn(ports, row, added) : null };
}

export type LastFindingsInput = PlaceRequest & { readonly added: boolean };
export type LastFindingsOutput = {
  /** `null`: nobody has looked yet. */
  readonly deployment: DeploymentRow | null;
  readonly findings: readonly Finding[];
};

/** What the last look that has ended found. Throws `project_unknown`, `environment_unknown`. */
export async function lastFindings(
  ports: OperationPorts,
  caller: Caller,
  { project, environment, added }: LastFindingsInput,
): Promise<LastFindingsOutput> {
  authorize(caller, 'deployment.read');
  const [row] = await ports.views.deployments({ project, environment, verb: 'drift', ended: true, limit: 1 });
  if (row) return { deployment: row, findings: await findingsIn(ports, row, added) };
  await mustBePlace(ports.records, { project, environment });
  return { deployment: null, findings: [] };
}

async function findingsIn(
  { views }: OperationPorts,
  row: DeploymentRow,
  added: boolean,
): Promise<readonly Finding[]> {
  const plan = await planOf(views, row.id);
  const events = await eventsOf(views, row.id);
  const view = advanceView(initialView(plan), events);
  return findingsOf({ plan, view, events, added, busy: await busyDuring(views, row) });
}

const EVENTS_AT_ONCE = 5_000;

async function eventsOf(views: Views, id: DeploymentId): Promise<readonly StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const events = await views.events(id, all.length, EVENTS_AT_ONCE);
    all.push(...events);
    if (events.length < EVENTS_AT_ONCE) return all;
  }
}

/** Of one project environment one deployment at a time: more than these there can hardly be since. */
const MOST_DEPLOYMENTS = 1_000;

/** When deployments of the place worked on its targets while this look was under way. */
async function busyDuring(
  views: Views,
  { project, environment, createdAt, endedAt }: DeploymentRow,
): Promise<ReadonlyMap<string, readonly Span[]>> {
  const rows = await views.deployments({ project, environment, deploys: true, limit: MOST_DEPLOYMENTS });
  const busy = new Map<string, Span[]>();
  for (const row of rows) {
    if (row.createdAt > (endedAt ?? Number.POSITIVE_INFINITY)) continue;
    if (row.endedAt !== null && row.endedAt < createdAt) continue;
    const { targets } = await planOf(views, row.id);
    for (const [index, span] of workSpans(await eventsOf(views, row.id))) {
      const name = targets[index]?.name ?? '';
      busy.set(name, [...(busy.get(name) ?? []), span]);
    }
  }
  return busy;
}
