import { EdgeError } from '../domain/errors.ts';
import type { Policy, Stage } from '../domain/plan.ts';
import type { TargetConfig } from '../domain/project-environment.ts';
import type { InlineStrategy } from '../domain/strategy.ts';
import { didYouMean } from '../lib/nearest.ts';
import { cutLane } from './batches.ts';
import { MAX_TARGETS } from './build-plan.ts';
import type { Documents, Settings } from './settings.ts';
import { named, workplaceOf } from './targets.ts';

/** What plans have in common that run beside deployments, and put nothing anywhere. */

export type Chosen = { readonly config: TargetConfig; readonly zone: string; readonly workers: string };
type Order = {
  readonly sequence: string;
  readonly batches: InlineStrategy['batches'];
  readonly parallel: number;
};

/** Zones side by side, batches in order. */
export function sideBySide(
  targets: readonly Chosen[],
  { zones }: Settings,
  { sequence, batches, parallel }: Order,
): Stage {
  const indexes = new Map(targets.map(({ config }, index) => [config.name, index]));
  const lanes = zones.flatMap(({ name: zone }) => {
    const own = targets.filter((target) => target.zone === zone);
    const slots = cutLane(
      own.map(({ config }) => indexes.get(config.name) ?? 0),
      0,
      batches,
    );
    const made = slots.map((slot) => ({
      ...{ name: slot.name, sequence, targets: slot.targets },
      parallel: Math.min(parallel, slot.targets.length),
      countsFailures: true,
    }));
    return made.length > 0 ? [{ zone, batches: made }] : [];
  });
  return { name: 'all zones', lanes };
}

const HOLD_LIMIT_MS = 3_600_000;

export function policyBeside({
  maxFailures,
  parallel,
}: {
  /** So many failures pause it; `null`: however many. */
  readonly maxFailures: number | null;
  readonly parallel: number;
}): Policy {
  const budget = maxFailures === null ? {} : { count: maxFailures };
  return {
    maxFailures: { batch: {}, zone: {}, deployment: budget },
    onFailure: { health: 'pause', other: 'pause' },
    onUnknown: 'pause',
    capacity: { retryMs: 0, holdAfterMs: 0 },
    holdLimitMs: HOLD_LIMIT_MS,
    parallel,
  };
}

type Choice = Pick<Documents, 'projectEnvironment'> & {
  readonly targets: readonly string[] | null;
  readonly zones: readonly string[] | null;
  readonly limit: number | null;
};

/** Throws `target_unknown`, `request_invalid`, `plan_empty`, `plan_too_large`. */
export function chosen(request: Choice, settings: Settings): readonly Chosen[] {
  const { zones, limit } = request;
  const names = settings.zones.map(({ name }) => name);
  const unknown = zones?.find((zone) => !names.includes(zone));
  if (unknown !== undefined)
    throw new EdgeError('request_invalid', `There is no zone "${unknown}" in ${settings.environment}`, {
      where: { path: 'zones' },
      hint: didYouMean(unknown, names),
    });
  const all = named(request.projectEnvironment.targets, request.targets, ({ name }) => name)
    .map((config) => ({ config, ...workplaceOf(config, settings) }))
    .filter(({ zone }) => zones === null || zones.includes(zone));
  const found = all.slice(0, limit ?? all.length);
  if (found.length === 0) throw new EdgeError('plan_empty', 'No target is in what was asked for');
  if (found.length > MAX_TARGETS)
    throw new EdgeError(
      'plan_too_large',
      `It has ${found.length} targets; at most ${MAX_TARGETS} are possible`,
    );
  return found;
}
