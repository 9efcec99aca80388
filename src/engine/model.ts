import { type Floor, poolKey } from '../domain/capacity.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { type Batch, type Plan, type PlanTarget, readsOf, type Step } from '../domain/plan.ts';

/** What never changes while a deployment runs: its plan, with the look-ups that make each event O(1). */
export type Model = {
  readonly id: DeploymentId;
  readonly plan: Plan;
  readonly places: readonly Place[];
  /** Per sequence: the steps whose outputs a later step reads. */
  readonly kept: Readonly<Record<string, ReadonlySet<string>>>;
  /** By pool key. */
  readonly floors: ReadonlyMap<string, readonly KeptFloor[]>;
};

/** `members`: it is of these only. `named`: how a refusal says so. */
export type KeptFloor = {
  readonly floor: Floor;
  readonly members?: ReadonlySet<string>;
  readonly named: { readonly zone?: string };
};

/** Where a target is in its plan. Each target is in exactly one batch. */
export type Place = {
  readonly stage: number;
  readonly lane: number;
  readonly batch: number;
  readonly of: Batch;
};

export function modelOf(id: DeploymentId, plan: Plan): Model {
  const places: Place[] = new Array(plan.targets.length);
  for (const [stage, { lanes }] of plan.stages.entries()) {
    for (const [lane, { batches }] of lanes.entries()) {
      for (const [batch, of] of batches.entries()) {
        for (const target of of.targets) places[target] = { stage, lane, batch, of };
      }
    }
  }
  const kept = Object.fromEntries(
    Object.entries(plan.sequences).map(([name, steps]) => [name, keptSteps(steps)]),
  );
  return { id, plan, places, kept, floors: floorsOf(plan) };
}

const DEFAULT_FLOOR: KeptFloor = { floor: { percent: 75 }, named: {} };

/** Each pool of a target has a floor, whether its plan says so or not. */
function floorsOf({ floors, targets }: Plan): Model['floors'] {
  const named = Map.groupBy(floors, poolKey);
  const used = new Set(targets.flatMap(({ members }) => members.map(poolKey)));
  return new Map(
    [...used].map((key) => {
      const kept = (named.get(key) ?? []).map(keptFloor);
      return [key, kept.some(({ members }) => !members) ? kept : [DEFAULT_FLOOR, ...kept]];
    }),
  );
}

const keptFloor = ({ floor, zone }: Plan['floors'][number]): KeptFloor => ({
  floor,
  ...(zone ? { members: new Set(zone.members), named: { zone: zone.name } } : { named: {} }),
});

function keptSteps(steps: readonly Step[]): ReadonlySet<string> {
  const inputs = steps.flatMap((step) => Object.values(step.inputs));
  return new Set(inputs.flatMap(readsOf));
}

export function targetOf(model: Model, target: number): PlanTarget {
  return present(model.plan.targets[target], `target ${target}`);
}

/** Whether this is no target, but what is run around them. */
export const isHook = (model: Model, target: number): boolean => targetOf(model, target).hook === true;

export function placeOf(model: Model, target: number): Place {
  return present(model.places[target], `place of target ${target}`);
}

export function stepsOf(model: Model, target: number): readonly Step[] {
  return present(model.plan.sequences[placeOf(model, target).of.sequence], `sequence of target ${target}`);
}

export function stepOf(model: Model, target: number, step: number): Step {
  return present(stepsOf(model, target)[step], `step ${step} of target ${target}`);
}

export function batchOf(model: Model, at: { stage: number; lane: number; batch: number }): Batch {
  return present(model.plan.stages[at.stage]?.lanes[at.lane]?.batches[at.batch], 'batch');
}

/** Plan and state are our own; an index that points nowhere is a fault of Edge, never of the user. */
export function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RangeError(`the plan has no ${what}`);
  return value;
}
