import type { StoredEvent } from '../../domain/event.ts';
import type { DeploymentId, PlanHash } from '../../domain/ids.ts';
import type { Plan } from '../../domain/plan.ts';
import type { StepRecord } from '../../domain/step-record.ts';
import type { StepQuery } from '../../ports/views.ts';
import { parse } from './json.ts';
import { eventsAfter } from './load.ts';
import { all, first, type Operation, type Scope } from './operation.ts';
import { DEPLOYS, whereAll } from './where.ts';

type Row = {
  readonly id: DeploymentId;
  readonly project: string;
  readonly environment: string;
  readonly plan_hash: PlanHash;
};

/** `Views.steps`. Costs what it reads: so many plans, without their targets, and so many events of each. */
export function* viewSteps(_scope: Scope, query: StepQuery): Operation<readonly StepRecord[]> {
  const where = whereAll([
    ['project = ?', query.project],
    ['environment = ?', query.environment],
    ['stream_version > ?', 1],
    [DEPLOYS, 1],
  ]);
  const rows = yield* all<Row>(
    `SELECT id, project, environment, plan_hash FROM deployments ${where.sql}
     ORDER BY created_at DESC, id DESC LIMIT ?`,
    ...where.params,
    query.deployments,
  );
  const records: StepRecord[] = [];
  for (const { id, project, environment, plan_hash } of rows) {
    const nameOf = yield* namesOfSteps(plan_hash);
    const tallies = tallied(yield* eventsAfter(id, 0, query.events), nameOf);
    for (const tally of tallies) records.push({ deployment: id, project, environment, ...tally });
  }
  return records;
}

type Name = Pick<StepRecord, 'sequence' | 'step'>;
type NameOf = (target: number, step: number) => Name | undefined;

/** What a target's n-th step is. Of a large plan nearly all is targets, which the database leaves out. */
function* namesOfSteps(hash: PlanHash): Operation<NameOf> {
  const row = yield* first<{ sequences: string; stages: string }>(
    `SELECT CAST(json_extract(body, '$.sequences') AS CHAR) AS sequences,
       CAST(json_extract(body, '$.stages') AS CHAR) AS stages FROM plans WHERE hash = ?`,
    hash,
  );
  const sequences = row ? parse<Plan['sequences']>(row.sequences) : {};
  const stages = row ? parse<Plan['stages']>(row.stages) : [];
  const sequenceOf = new Map<number, string>();
  for (const { lanes } of stages)
    for (const { batches } of lanes)
      for (const { sequence, targets } of batches)
        for (const target of targets) sequenceOf.set(target, sequence);
  return (target, index) => {
    const sequence = sequenceOf.get(target) ?? '';
    const step = sequences[sequence]?.[index]?.id;
    return step === undefined ? undefined : { sequence, step };
  };
}

type Tally = Name & {
  readonly doneMs: number[];
  readonly failed: Record<string, number>;
  readonly retried: Record<string, number>;
  unknown: number;
  forced: number;
};

function tallied(events: readonly StoredEvent[], nameOf: NameOf): readonly Tally[] {
  const tallies = new Map<string, Tally>();
  const grantedAt = new Map<number, number>();
  const aborted = new Set<number>();
  const tallyOf = (target: number, step: number): Tally | undefined => {
    const name = nameOf(target, step);
    if (name === undefined) return undefined;
    const key = `${name.sequence}/${name.step}`;
    const tally = tallies.get(key) ?? {
      ...{ ...name, doneMs: [], failed: {}, retried: {}, unknown: 0, forced: 0 },
    };
    tallies.set(key, tally);
    return tally;
  };
  for (const { at, event } of events) {
    if (event.kind === 'tasks.granted') for (const target of event.targets) grantedAt.set(target, at);
    if (event.kind === 'capacity.refused') grantedAt.delete(event.target);
    // What people ended says nothing of the step.
    if (event.kind === 'task.cancelling' && event.why === 'abort') aborted.add(event.target);
    if (!('step' in event) || aborted.has(event.target)) continue;
    const tally = tallyOf(event.target, event.step);
    if (tally) count(tally, event, { at, grantedAt: grantedAt.get(event.target) });
  }
  return [...tallies.values()];
}

type OfStep = Extract<StoredEvent['event'], { readonly step: number }>;

function count(
  tally: Tally,
  event: OfStep,
  { at, grantedAt }: { readonly at: number; readonly grantedAt: number | undefined },
): void {
  switch (event.kind) {
    case 'task.succeeded':
      if (grantedAt !== undefined) tally.doneMs.push(at - grantedAt);
      if (event.outputs.forced === true) tally.forced += 1;
      return;
    case 'task.failed':
      add(tally.failed, event.error.code);
      return;
    case 'task.retried':
      add(tally.retried, event.error.code);
      return;
    case 'task.unknown':
      tally.unknown += 1;
      return;
    case 'task.cancelling':
    // The word of a person says nothing of the step.
    case 'task.resolved':
      return;
    default:
      event satisfies never;
  }
}

function add(counts: Record<string, number>, code: string): void {
  counts[code] = (counts[code] ?? 0) + 1;
}
