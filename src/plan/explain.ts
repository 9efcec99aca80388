import type { Approvals } from '../domain/approval.ts';
import type { Floor } from '../domain/capacity.ts';
import { type Batch, hostTargetOf, type Plan, type PlanVerb } from '../domain/plan.ts';
import type { PoolCapacity } from './capacity.ts';
import { describeStep, type ExplainedStep } from './explain-step.ts';
import { type Forecast, forecast } from './forecast.ts';
import { poolName } from './pools.ts';
import type { Note, Planned } from './request.ts';

/** A plan for people: everything that will be done, in order, with the exact commands. Made from data; touches nothing. */
export type Explained = {
  readonly title: string;
  readonly verb: PlanVerb;
  readonly hash: string;
  /** How long it takes if nothing fails. */
  readonly forecast: Forecast;
  readonly notes: readonly Note[];
  readonly stages: readonly ExplainedStage[];
  /** The steps of each sequence that a batch does. */
  readonly sequences: Readonly<Record<string, readonly ExplainedStep[]>>;
  /** The steps that a rollback of this plan would do; the approval covers them too. */
  readonly rollbacks: Readonly<Record<string, readonly ExplainedStep[]>>;
  readonly policy: Plan['policy'];
  readonly approvals: Approvals | null;
  readonly floors: readonly { readonly pool: string; readonly zone?: string; readonly floor: string }[];
};

export type ExplainedStage = { readonly name: string; readonly batches: readonly ExplainedBatch[] };

export type ExplainedBatch = {
  readonly zone: string;
  readonly name: string;
  readonly sequence: string;
  readonly parallel: number;
  readonly countsFailures: boolean;
  readonly targets: readonly ExplainedTarget[];
  readonly capacity: readonly PoolCapacity[];
};

export type ExplainedTarget = {
  readonly name: string;
  /** What it runs and what it gets; `null`: not known, or nothing new. */
  readonly before: string | null;
  readonly release: string | null;
  readonly facts: Plan['targets'][number]['facts'];
  /** For a hook, on whose host it runs. */
  readonly hookOn: string | null;
};

/** `notes`, `capacity` and what is known of the past are there only when the plan has just been made. */
export type Explainable = Pick<Planned, 'plan' | 'hash'> & Partial<Planned>;

export function explain({ plan, hash, notes = [], capacity = [], forecast: known }: Explainable): Explained {
  const used = new Set(
    plan.stages.flatMap(({ lanes }) =>
      lanes.flatMap(({ batches }) => batches.map((batch) => batch.sequence)),
    ),
  );
  const described = Object.entries(plan.sequences).map(
    ([name, steps]) => [name, steps.map((step) => describeStep(step, plan))] as const,
  );
  return {
    title: titleOf(plan),
    verb: plan.verb,
    hash,
    forecast: known ?? forecast(plan),
    notes,
    stages: stagesOf(plan, capacity),
    sequences: Object.fromEntries(described.filter(([name]) => used.has(name))),
    rollbacks: Object.fromEntries(described.filter(([name]) => !used.has(name))),
    policy: plan.policy,
    approvals: plan.approvals ?? null,
    floors: plan.floors.map((of) => ({
      pool: poolName(of),
      ...(of.zone && { zone: of.zone.name }),
      floor: floorText(of.floor),
    })),
  };
}

function titleOf({ verb, hard, project, environment, release, causedBy }: Plan): string {
  const what = release === null ? project : `${project} ${verb === 'rollback' ? 'to ' : ''}${release}`;
  const cause = causedBy ? `, because of ${causedBy.deployment}: ${causedBy.why}` : '';
  return `${verb}${hard ? ' hard' : ''} ${what} in ${environment}${cause}`;
}

function stagesOf(plan: Plan, capacity: readonly PoolCapacity[]): readonly ExplainedStage[] {
  const curve = Map.groupBy(capacity, ({ stage, lane, batch }) => `${stage}/${lane}/${batch}`);
  return plan.stages.map(({ name, lanes }, stage) => ({
    name,
    batches: lanes.flatMap(({ zone, batches }, lane) =>
      batches.map((batch, index) => ({
        zone,
        name: batch.name,
        sequence: batch.sequence,
        parallel: batch.parallel,
        countsFailures: batch.countsFailures,
        targets: targetsOf(batch, plan),
        capacity: curve.get(`${stage}/${lane}/${index}`) ?? [],
      })),
    ),
  }));
}

function targetsOf(batch: Batch, plan: Plan): readonly ExplainedTarget[] {
  return batch.targets
    .flatMap((index) => plan.targets[index] ?? [])
    .map((target) => {
      const { name, before, release, facts, hook } = target;
      return { name, before, release, facts, hookOn: hook ? hostTargetOf(target) : null };
    });
}

const floorText = (floor: Floor) =>
  'count' in floor ? String(floor.count) : `${floor.percent}% of the configured members`;
