import { EdgeError } from '../domain/errors.ts';
import { type FilesFor, PLAN_SCHEMA, type Plan, type PlannedRelease, type Step } from '../domain/plan.ts';
import { chosen, policyBeside, sideBySide } from './beside.ts';
import type { Platform } from './sequences.ts';
import { type Documents, resolveSettings } from './settings.ts';

/** What a deployment has put on a target, as its plan has it: where it lies, and what its files are made of. */
export type Put = {
  readonly target: string;
  readonly zone: string;
  readonly release: PlannedRelease;
  readonly filesFor?: FilesFor;
  readonly steps: readonly Step[];
};

/** What a plan has put on these of its targets. */
export function putBy(plan: Plan, names: ReadonlySet<string>): readonly Put[] {
  const sequences = new Map<number, string>();
  for (const { lanes } of plan.stages)
    for (const { batches } of lanes)
      for (const { sequence, targets } of batches)
        for (const target of targets) sequences.set(target, sequence);
  return plan.targets.flatMap(({ name, zone, release: id, filesFor }, index) => {
    const release = id === null ? undefined : plan.releases[id];
    if (!release || !names.has(name)) return [];
    const steps = plan.sequences[sequences.get(index) ?? ''] ?? [];
    return [{ target: name, zone, release, steps, ...(filesFor && { filesFor }) }];
  });
}

export type DriftRequest = Documents & {
  /** What is on the targets, as far as Edge put it there. */
  readonly put: readonly Put[];
  /** Targets that a deployment has worked on since, without success. */
  readonly unproven: ReadonlySet<string>;
  /** Only these; `null` for all. */
  readonly targets: readonly string[] | null;
  readonly zones: readonly string[] | null;
  /** At how many it looks at once. */
  readonly parallel: number;
};

export type DriftPlan = {
  readonly plan: Plan;
  /** Targets that there is nothing to compare with: Edge never put anything there, or a command of the team did. */
  readonly leftOut: readonly string[];
};

const SEQUENCE = 'look';

/**
 * The plan of a look at targets, against what the plans of then have put there; it takes no capacity, and touches nothing. Throws
 * `target_unknown`, `request_invalid`, `plan_empty`, `plan_too_large`, `config_reference`, `host_key_unknown`.
 */
export function planDrift(request: DriftRequest, platform: Platform): DriftPlan {
  const settings = resolveSettings(request);
  const all = chosen({ ...request, limit: null }, settings);
  const put = new Map(request.put.map((each) => [each.target, each]));
  const looked = all.flatMap((target) => {
    const there = put.get(target.config.name);
    const facts = there && platform.look.facts(there.steps);
    return there && facts ? [{ ...target, there, facts }] : [];
  });
  const names = new Set(looked.map(({ config }) => config.name));
  const leftOut = all.map(({ config }) => config.name).filter((name) => !names.has(name));
  const asked = new Set(all.map(({ config }) => config.name));
  const notAsked = request.projectEnvironment.targets
    .map(({ name }) => name)
    .filter((name) => !asked.has(name));
  if (looked.length === 0) throw nothingThere(settings);
  const plan: Plan = {
    ...{ planSchema: PLAN_SCHEMA, verb: 'drift', hard: false },
    project: settings.project,
    environment: settings.environment,
    platform: settings.platform,
    release: null,
    releases: Object.fromEntries(looked.map(({ there: { release } }) => [release.id, release])),
    targets: looked.map(({ config, zone, workers, there, facts }) => ({
      ...{ name: config.name, zone, pool: workers, members: [], inServiceBefore: true },
      ...{ release: there.release.id, before: there.release.id },
      facts: {
        ...platform.hostFacts(config, settings),
        ...facts,
        ...(request.unproven.has(config.name) && { unproven: true }),
      },
      ...(there.filesFor && { filesFor: asThen(there.filesFor, there.zone === zone) }),
    })),
    sequences: { [SEQUENCE]: platform.look.steps },
    stages: [sideBySide(looked, settings, { sequence: SEQUENCE, batches: ['100%'], ...request })],
    floors: [],
    policy: policyBeside({ maxFailures: null, parallel: request.parallel }),
    look: { notAsked, leftOut },
  };
  return { plan, leftOut };
}

/** Of a target that is in another zone by now nobody can tell any more what its files had to be. */
const asThen = (filesFor: FilesFor, isSameZone: boolean): FilesFor =>
  isSameZone ? filesFor : { ...filesFor, digests: {} };

const nothingThere = ({ project, environment }: { project: string; environment: string }): EdgeError =>
  new EdgeError(
    'plan_empty',
    `There is nothing that Edge has put on these targets of ${project} in ${environment}`,
    {
      hint: 'Deploy a release first. What a command of the project installs is not noted, so that it cannot be compared.',
    },
  );
