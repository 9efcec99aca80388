import type { ReleaseId } from '../domain/ids.ts';
import {
  PLAN_SCHEMA,
  type Plan,
  type PlannedRelease,
  type PlanTarget,
  type Policy,
  type Stage,
} from '../domain/plan.ts';
import { plannedRelease } from '../domain/release.ts';
import { sha256 } from '../lib/hash.ts';
import { filesFor } from './files.ts';
import { partKey, partsOf, zoneKey } from './pools.ts';
import type { PlanRequest } from './request.ts';
import { type Platform, withRollbacks } from './sequences.ts';
import type { Settings } from './settings.ts';
import type { Worked } from './stages.ts';
import type { Candidate, Survey } from './targets.ts';

export type Context = {
  readonly request: PlanRequest;
  readonly settings: Settings;
  readonly seen: Survey;
  readonly platform: Platform;
};

export type Parts = {
  readonly candidates: readonly Candidate[];
  /** The same targets, as they are worked on. */
  readonly targets: readonly Worked[];
  readonly stages: readonly Stage[];
};

/** Puts the plan together: nothing is decided here. */
export function assemble(context: Context, { candidates, targets, stages }: Parts): Plan {
  const { request, settings, seen, platform } = context;
  const releases = releasesOf(candidates, request);
  const names = withRollbacks(targets.map(({ sequence }) => sequence));
  const sequences = Object.fromEntries(names.map((name) => [name, platform.steps(name, settings)]));
  return {
    planSchema: PLAN_SCHEMA,
    verb: request.verb,
    hard: request.hard,
    ...(settings.installsAnew && { force: true }),
    project: settings.project,
    environment: settings.environment,
    platform: settings.platform,
    release: request.release?.id ?? null,
    releases,
    targets: candidates.map((target) => planTarget(target, context, releases)),
    sequences,
    ...scriptsOf(sequences, settings),
    stages,
    floors: request.hard ? [] : floorsOf(targets, seen),
    policy: policyOf(settings),
    ...approvalsOf(request, settings),
  };
}

/** What the scripts of the steps say, once each. */
export function scriptsOf(
  sequences: Plan['sequences'],
  settings: Pick<Settings, 'scripts'>,
): Pick<Plan, 'scripts'> {
  const inputs = Object.values(sequences).flatMap((steps) =>
    steps.flatMap((step) => Object.values(step.inputs)),
  );
  const used = new Set(inputs.flatMap((input) => ('script' in input ? [input.script] : [])));
  const contents = [...settings.scripts.values()].map(({ content }) => [sha256(content), content] as const);
  const scripts = Object.fromEntries(contents.filter(([digest]) => used.has(digest)));
  return Object.keys(scripts).length > 0 ? { scripts } : {};
}

/** The release that is put there and all that the targets had before, as far as they are known. */
function releasesOf(
  targets: readonly Candidate[],
  { release, releases, environment }: PlanRequest,
): Readonly<Record<ReleaseId, PlannedRelease>> {
  const known = new Map([...releases, ...(release ? [release] : [])].map((each) => [each.id, each]));
  const wanted = new Set([release?.id, ...targets.map(({ before }) => before)]);
  return Object.fromEntries(
    [...known.values()]
      .filter(({ id }) => wanted.has(id))
      .map((each) => [each.id, plannedRelease(each, environment.name)]),
  );
}

function planTarget(target: Candidate, context: Context, releases: Plan['releases']): PlanTarget {
  const { request, settings, seen, platform } = context;
  const files = filesFor(target, settings, { release: request.release?.id ?? null, releases });
  return {
    name: target.config.name,
    zone: target.zone,
    pool: target.workers,
    members: target.members,
    // When nothing is in service, all that is meant to serve counts: there is nothing else to judge by.
    inServiceBefore: target.inService || (seen.cold && target.wanted),
    release: request.release?.id ?? null,
    before: target.before !== null && Object.hasOwn(releases, target.before) ? target.before : null,
    facts: platform.facts(target.config, settings),
    ...(files && { filesFor: files }),
    ...(request.inventory && { config: target.config }),
  };
}

/** Of the pools that a target is in; and of the zones in them that have one. */
function floorsOf(targets: readonly Worked[], { pools }: Survey): Plan['floors'] {
  const used = new Set(
    targets.flatMap(({ members, zone }) => members.flatMap((ref) => [partKey(ref), zoneKey(ref, zone)])),
  );
  return [...pools.values()]
    .flatMap(partsOf)
    .filter((part) => used.has(partKey(part)))
    .map(({ balancer, pool, floor, zone }) => ({
      ...{ balancer, pool, floor },
      ...(zone && { zone: { name: zone.name, members: [...zone.members] } }),
    }));
}

function approvalsOf({ unapproved }: PlanRequest, { policy }: Settings): Pick<Plan, 'approvals'> {
  const { approvals } = policy;
  return approvals && approvals.count > 0 && !unapproved ? { approvals } : {};
}

const CAPACITY_RETRY_MS = 5_000;

function policyOf({ policy, strategy }: Settings): Policy {
  return {
    maxFailures: policy.maxFailures,
    onFailure: { health: policy.onFailure.health, other: policy.onFailure.other },
    onUnknown: 'pause',
    capacity: { retryMs: CAPACITY_RETRY_MS, holdAfterMs: policy.capacityWaitMs },
    holdLimitMs: policy.holdLimitMs,
    parallel: strategy.parallel,
  };
}
