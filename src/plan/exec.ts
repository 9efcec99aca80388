import { PLAN_SCHEMA, type Plan } from '../domain/plan.ts';
import type { InlineStrategy } from '../domain/strategy.ts';
import { chosen, policyBeside, sideBySide } from './beside.ts';
import { refuseCommands } from './commands.ts';
import type { ExecOrder, Platform } from './sequences.ts';
import { type Documents, resolveSettings } from './settings.ts';

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
      ...{ release: null, before: null, facts: platform.hostFacts(config, settings) },
    })),
    sequences,
    stages: [sideBySide(targets, settings, { sequence: 'exec', ...request })],
    floors: [],
    policy: policyBeside(request),
  };
}
