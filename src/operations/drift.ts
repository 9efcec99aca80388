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
import { beginningOf, type Finding, findingsOf } from '../projections/findings.ts';
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
  const { plan, leftOut, recordAt } = await driftPlan(ports, input);
  const id = ports.ids.deployment();
  await beginLook(ports, { id, plan, recordAt, by: caller.name, reason: input.reason });
  return { deployment: id, targets: plan.targets.map(({ name }) => name), leftOut };
}

const TRIES = 3;

/** What a look at these targets would be now; for the schedule too. */
export async function driftPlan(
  ports: OperationPorts,
  input: Omit<DriftInput, 'reason'>,
): Promise<DriftPlan & { readonly recordAt: number }> {
  const documents = await documentsNow(ports, input);
  for (let tries = 1; ; tries += 1) {
    const recordAt = ports.clock.now();
    const fleet = await ports.views.fleet(placeOf(input));
    const planned = await planOver(ports, input, { documents, fleet });
    // What a deployment has put there in the meantime is not what it would be compared with.
    const isNow = hashOf(fleet.targets) === hashOf((await ports.views.fleet(placeOf(input))).targets);
    if (isNow || tries === TRIES) {
      await rememberRead(ports, documents, planHash(planned.plan));
      return { ...planned, recordAt };
    }
  }
}

const placeOf = ({ project, environment }: PlaceRequest): PlaceRequest => ({ project, environment });

type Read = { readonly documents: Documents; readonly fleet: Fleet };

async function planOver(
  { views, platform }: OperationPorts,
  { parallel, targets, zones }: Omit<DriftInput, 'reason'>,
  { documents, fleet }: Read,
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
  readonly recordAt: number;
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
  /** Targets of the project environment that it was not asked to look at; none, unless nobody has looked at all of them lately. */
  readonly notAsked: readonly string[];
  /** Targets that it had nothing to compare with. */
  readonly leftOut: readonly string[];
};

/** A look at all targets is searched for among so many; between two of them are the glances of people. */
const LAST_LOOKS = 20;

/**
 * What the last look at all targets that has ended found; where there is none lately, the last one at some. Throws `project_unknown`,
 * `environment_unknown`.
 */
export async function lastFindings(
  ports: OperationPorts,
  caller: Caller,
  { project, environment, added }: LastFindingsInput,
): Promise<LastFindingsOutput> {
  authorize(caller, 'deployment.read');
  const ofPlace = { project, environment, verb: 'drift', ended: true } as const;
  const rows = await ports.views.deployments({ ...ofPlace, limit: LAST_LOOKS });
  const row = (await lastAtAll(ports.views, rows)) ?? rows[0];
  if (row) {
    const { notAsked = [], leftOut = [] } = (await planOf(ports.views, row.id)).look ?? {};
    return { deployment: row, findings: await findingsIn(ports, row, added), notAsked, leftOut };
  }
  await mustBePlace(ports.records, { project, environment });
  return { deployment: null, findings: [], notAsked: [], leftOut: [] };
}

async function lastAtAll(views: Views, rows: readonly DeploymentRow[]): Promise<DeploymentRow | undefined> {
  for (const row of rows) if (!(await planOf(views, row.id)).look?.notAsked.length) return row;
  return undefined;
}

async function findingsIn(
  { views }: OperationPorts,
  row: DeploymentRow,
  added: boolean,
): Promise<readonly Finding[]> {
  const plan = await planOf(views, row.id);
  const events = await eventsOf(views, row.id);
  const view = advanceView(initialView(plan), events);
  return findingsOf({
    plan,
    view,
    events,
    added,
    busy: await busyDuring(views, row, beginningOf(events)),
  });
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

/** When deployments of the place worked on its targets while this look was under way, from when the record was read for it. */
async function busyDuring(
  views: Views,
  { project, environment, endedAt }: DeploymentRow,
  from: number,
): Promise<ReadonlyMap<string, readonly Span[]>> {
  const rows = await views.deployments({ project, environment, deploys: true, limit: MOST_DEPLOYMENTS });
  const busy = new Map<string, Span[]>();
  for (const row of rows) {
    if (row.createdAt > (endedAt ?? Number.POSITIVE_INFINITY)) continue;
    if (row.endedAt !== null && row.endedAt < from) continue;
    const { targets } = await planOf(views, row.id);
    for (const [index, span] of workSpans(await eventsOf(views, row.id))) {
      const name = targets[index]?.name ?? '';
      busy.set(name, [...(busy.get(name) ?? []), span]);
    }
  }
  return busy;
}
