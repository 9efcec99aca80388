import type { DeploymentId, ReleaseId } from '../domain/ids.ts';
import type { Batch, Lane, Plan, PlanTarget, Stage } from '../domain/plan.ts';
import { hooksOfRollback } from './hooks.ts';
import { rollbackSequence, type SequenceName } from './sequences.ts';

export type RollbackParent = {
  readonly id: DeploymentId;
  readonly plan: Plan;
  /** Targets that were changed or taken out of service, by index; `held`: members of it are out of service now. */
  readonly touched: readonly { readonly target: number; readonly held: boolean }[];
};

/**
 * The plan that returns each touched target to its own before (contract C7). What is out of service comes first, all at once
 * and free of the floor, since its guard takes nothing that is not held already; then the rest, without canary; last the others. Failures do not stop it, and it is never rolled
 * back itself. `null`: there is nothing to return, since no touched target has a known before, or the parent is a rollback.
 */
export function planRollback(parent: RollbackParent, why: string): Plan | null {
  const { plan } = parent;
  if (plan.verb === 'rollback') return null;
  const returned = returnedTargets(parent);
  if (returned.length === 0) return null;
  const { targets, release, releases } = returnedTo(plan, returned);
  // Who approved the parent has approved its policy, and so this. What is returned to is taken as it is: its files may be gone elsewhere.
  const { approvals: _, force: __, ...covered } = plan;
  const stages = stagesOf(returned);
  const hooks = hooksOfRollback(plan, targets.length);
  return {
    ...covered,
    verb: 'rollback',
    release,
    releases,
    targets: [...targets, ...hooks.targets.map((hook) => ({ ...hook, release }))],
    sequences: { ...sequencesOf(plan, returned), ...hooks.sequences },
    stages: [...stages, ...hooks.stages],
    policy: {
      ...plan.policy,
      onFailure: { health: 'pause', other: 'pause' },
      parallel: Math.max(plan.policy.parallel, ...widths(stages)),
    },
    causedBy: { deployment: parent.id, why },
  };
}

type Returned = {
  readonly target: PlanTarget;
  readonly before: ReleaseId;
  readonly sequence: SequenceName;
  readonly turn: 'out of service' | 'in service' | 'others';
  /** How many the parent's plan allowed at once. */
  readonly parallel: number;
};

function returnedTargets({ plan, touched }: RollbackParent): readonly Returned[] {
  const batches = batchOfTarget(plan);
  return touched
    .toSorted((a, b) => a.target - b.target)
    .flatMap(({ target: index, held }) => {
      const target = plan.targets[index];
      const batch = batches.get(index);
      if (!target || !batch || target.before === null) return [];
      const sequence = rollbackSequence(batch.sequence);
      return [
        {
          target,
          before: target.before,
          sequence,
          turn: turnOf(target, sequence, held && !plan.hard),
          parallel: batch.parallel,
        },
      ];
    });
}

function batchOfTarget(plan: Plan): ReadonlyMap<number, Batch> {
  const batches = plan.stages.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.batches));
  return new Map(batches.flatMap((batch) => batch.targets.map((target) => [target, batch] as const)));
}

function turnOf(target: PlanTarget, sequence: SequenceName, held: boolean): Returned['turn'] {
  if (!target.inServiceBefore) return 'others';
  return held || sequence === 'cold' ? 'out of service' : 'in service';
}

/** The targets and releases of the new plan. What they run now is not known for sure: what the parent meant to put there. */
function returnedTo(plan: Plan, returned: readonly Returned[]) {
  const targets = returned.map(({ target, before }) => ({
    ...target,
    release: before,
    before: target.release ?? before,
  }));
  const counts = new Map<ReleaseId, number>();
  for (const { before } of returned) counts.set(before, (counts.get(before) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a);
  const used = new Set<string>(targets.flatMap(({ release, before }) => [release, before]));
  const releases = Object.fromEntries(Object.entries(plan.releases).filter(([id]) => used.has(id)));
  return { targets, releases, release: most?.[0] ?? null };
}

function sequencesOf(plan: Plan, returned: readonly Returned[]): Plan['sequences'] {
  const used = new Set<string>(returned.map(({ sequence }) => sequence));
  return Object.fromEntries(Object.entries(plan.sequences).filter(([name]) => used.has(name)));
}

const TURNS = ['out of service', 'in service', 'others'] as const;

function stagesOf(returned: readonly Returned[]): readonly Stage[] {
  const entries = [...returned.entries()];
  return TURNS.map((turn) => ({
    name: turn,
    lanes: lanesOf(entries.filter(([, each]) => each.turn === turn)),
  })).filter(({ lanes }) => lanes.length > 0);
}

type Entry = readonly [number, Returned];

function lanesOf(entries: readonly Entry[]): readonly Lane[] {
  return [...Map.groupBy(entries, ([, { target }]) => target.zone)].map(([zone, ofZone]) => ({
    zone,
    batches: [...Map.groupBy(ofZone, ([, { sequence }]) => sequence)].map(([sequence, batch]) =>
      batchOf(sequence, batch),
    ),
  }));
}

function batchOf(sequence: SequenceName, entries: readonly Entry[]): Batch {
  const allAtOnce = entries[0]?.[1].turn === 'out of service';
  const allowed = Math.max(...entries.map(([, { parallel }]) => parallel));
  return {
    name: allAtOnce ? 'all at once' : 'all',
    sequence,
    targets: entries.map(([index]) => index),
    parallel: allAtOnce ? entries.length : Math.min(entries.length, allowed),
    countsFailures: false,
  };
}

const widths = (stages: readonly Stage[]) =>
  stages.map(({ lanes }) =>
    lanes.flatMap(({ batches }) => batches).reduce((sum, { parallel }) => sum + parallel, 0),
  );
