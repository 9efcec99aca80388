import { EdgeError } from '../domain/errors.ts';
import { PLAN_SCHEMA, type Plan, type Policy } from '../domain/plan.ts';
import type { InlineStrategy } from '../domain/strategy.ts';
import { didYouMean } from '../lib/nearest.ts';
import { cutLane } from './batches.ts';
import { MAX_TARGETS } from './build-plan.ts';
import { refuseCommands } from './commands.ts';
import type { ExecOrder, Platform } from './sequences.ts';
import { type Documents, resolveSettings, type Settings } from './settings.ts';
import { named, workplaceOf } from './targets.ts';

export type ExecRequest = Documents & {
  readonly order: ExecOrder;
  /** Only these; `null` for all. */
  readonly targets: readonly string[] | null;
  readonly zones: readonly string[] | null;
  /** At most so many of them, the first ones. */
  readonly limit: number | null;
  readonly batches: InlineStrategy['batches'];
  /** How many run it at once. */
  readonly parallel: number;
  /** So many failures pause it; `null`: however many. */
  readonly maxFailures: number | null;
};

/**
 * The plan of a command on targets: zones side by side, batches in order; it takes no capacity, and puts nothing anywhere. Throws
 * `target_unknown`, `request_invalid`, `plan_empty`, `plan_too_large`, `config_reference`, `host_key_unknown`, `command_refused`.
 */
export function planExec(request: ExecRequest, platform: Platform): Plan {
  const settings = resolveSettings(request);
  const sequences = { exec: platform.exec(request.order) };
  refuseCommands({ sequences }, platform, request.environment);
  const targets = chosen(request, settings);
  const indexes = new Map(targets.map(({ config }, index) => [config.name, index]));
  const lanes = settings.zones.flatMap(({ name: zone }) => {
    const own = targets.filter((target) => target.zone === zone);
    const slots = cutLane(
      own.map(({ config }) => indexes.get(config.name) ?? 0),
      0,
      request.batches,
    );
    const batches = slots.map((slot) => ({
      ...{ name: slot.name, sequence: 'exec', targets: slot.targets },
      parallel: Math.min(request.parallel, slot.targets.length),
      countsFailures: true,
    }));
    return batches.length > 0 ? [{ zone, batches }] : [];
  });
  return {
    planSchema: PLAN_SCHEMA,
    verb: 'exec',
    hard: false,
    project: settings.project,
    environment: settings.environment,
    platform: settings.platform,
    release: null,
    releases: {},
    targets: targets.map(({ config, zone, workers }) => ({
      ...{ name: config.name, zone, pool: workers, members: [], inServiceBefore: true },
      ...{ release: null, before: null, facts: platform.execFacts(config, settings) },
    })),
    sequences,
    stages: [{ name: 'all zones', lanes }],
    floors: [],
    policy: policyOf(request),
  };
}

const HOLD_LIMIT_MS = 3_600_000;

function policyOf({ maxFailures, parallel }: ExecRequest): Policy {
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

function chosen(request: ExecRequest, settings: Settings) {
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
