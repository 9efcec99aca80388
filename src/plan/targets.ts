import type { MemberRef } from '../domain/balancer.ts';
import { poolKey } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import type { ReleaseId } from '../domain/ids.ts';
import { membersOf, type TargetConfig } from '../domain/project-environment.ts';
import { didYouMean } from '../lib/nearest.ts';
import { type Pool, poolsOf } from './pools.ts';
import type { PlanRequest, TargetSeen } from './request.ts';
import type { SequenceName } from './sequences.ts';
import type { Settings } from './settings.ts';

/** What the environment schema calls the only zone of an environment that names none. */
export const UNNAMED_ZONE = 'default';

/** A configured target with all that is known of it. */
export type Candidate = {
  readonly config: TargetConfig;
  readonly zone: string;
  readonly workers: string;
  readonly members: readonly MemberRef[];
  readonly before: ReleaseId | null;
  readonly unproven: boolean;
  readonly parked: boolean;
  readonly running: boolean | null;
  /** It serves, or would if Edge had not parked it. */
  readonly inService: boolean;
  /** People want it to serve: at least one member is enabled, or it has none. */
  readonly wanted: boolean;
};

export type Survey = {
  readonly all: readonly Candidate[];
  /** The candidates that the request asks for. */
  readonly chosen: readonly Candidate[];
  readonly pools: ReadonlyMap<string, Pool>;
  /** Not one target of this environment serves: a first deployment, or the end of an outage. */
  readonly cold: boolean;
};

/** Throws `target_unknown`, `balancer_member_unknown`. */
export function survey(request: PlanRequest, settings: Settings): Survey {
  const { environment } = request;
  const { targets } = request.projectEnvironment;
  const members = new Map(targets.map((target) => [target.name, membersOf(target, environment)]));
  const zoned = targets.flatMap((config) => {
    const zone = zoneNameOf(config, settings);
    return (members.get(config.name) ?? []).map((ref) => ({ ...ref, zone }));
  });
  const pools = poolsOf(zoned, request.pools, settings);
  const seen = new Map(request.fleet.map((entry) => [entry.target, entry]));
  const all = targets.map((config) =>
    candidate({
      config,
      members: members.get(config.name) ?? [],
      seen: seen.get(config.name),
      pools,
      settings,
    }),
  );
  return {
    all,
    chosen: named(all, request.options.targets, ({ config }) => config.name),
    pools,
    cold: !all.some(({ inService }) => inService),
  };
}

type Known = {
  readonly config: TargetConfig;
  readonly members: readonly MemberRef[];
  readonly seen: TargetSeen | undefined;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly settings: Settings;
};

const zoneOf = ({ zone }: TargetConfig, { zones }: Pick<Settings, 'zones'>) =>
  zones.find(({ name }) => name === zone) ?? zones[0];

/** Name of the zone that a target is in. */
export const zoneNameOf = (config: TargetConfig, settings: Pick<Settings, 'zones'>): string =>
  workplaceOf(config, settings).zone;

/** The zone of a target, and the worker pool that reaches it. */
export function workplaceOf(
  config: TargetConfig,
  settings: Pick<Settings, 'zones'>,
): { readonly zone: string; readonly workers: string } {
  const zone = zoneOf(config, settings);
  return { zone: zone?.name ?? UNNAMED_ZONE, workers: zone?.pool ?? 'default' };
}

function candidate({ config, members, seen, pools, settings }: Known): Candidate {
  const running = seen?.running ?? null;
  const parked = seen?.parked ?? false;
  const serves = members.some((ref) => pools.get(poolKey(ref))?.out.has(ref.member) === false);
  return {
    config,
    ...workplaceOf(config, settings),
    members,
    before: seen?.before ?? null,
    unproven: seen?.unproven ?? false,
    parked,
    running,
    inService: parked || (members.length === 0 ? running !== false : serves),
    wanted: members.length === 0 || members.some((ref) => pools.get(poolKey(ref))?.enabled.has(ref.member)),
  };
}

/** Those of the targets that are named; all, where none is. Throws `target_unknown`. */
export function named<T>(
  all: readonly T[],
  names: readonly string[] | null,
  nameOf: (target: T) => string,
): readonly T[] {
  if (names === null) return all;
  const known = new Set(all.map(nameOf));
  const unknown = names.find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new EdgeError('target_unknown', `There is no target "${unknown}" in this environment`, {
      hint: didYouMean(unknown, known),
      where: { target: unknown },
    });
  }
  const wanted = new Set(names);
  return all.filter((target) => wanted.has(nameOf(target)));
}

/** What is done to a candidate, or why it is left alone. */
export type Treatment =
  | { readonly kind: 'work'; readonly sequence: SequenceName; readonly other: boolean }
  | { readonly kind: 'leave'; readonly why: 'on-release' | 'out-of-service' };

const work = (sequence: SequenceName, other = false): Treatment => ({ kind: 'work', sequence, other });
const LEAVE_OUT: Treatment = { kind: 'leave', why: 'out-of-service' };

export function treatmentOf(
  target: Candidate,
  request: PlanRequest,
  more: { cold: boolean; others: boolean },
): Treatment {
  const serves = target.inService || (more.cold && target.wanted);
  if (!serves) return otherTreatment(target, request, more.others);
  if (isOnRelease(target, request) && target.inService && !target.parked && target.running !== false) {
    return { kind: 'leave', why: 'on-release' };
  }
  const isPlain = target.members.length === 0;
  if (request.reload && target.inService && !target.parked) return work(isPlain ? 'reload-plain' : 'reload');
  const restarts = request.verb === 'restart';
  if (request.hard) return work(restarts ? 'restart-hard' : 'hard');
  if (isPlain) return work(restarts ? 'restart-plain' : 'plain');
  if (!target.inService) return work(restarts ? 'restart-cold' : 'cold');
  return work(restarts ? 'restart' : 'rolling');
}

function otherTreatment(target: Candidate, request: PlanRequest, others: boolean): Treatment {
  if (request.verb === 'restart' || !others) return LEAVE_OUT;
  if (isOnRelease(target, request)) return { kind: 'leave', why: 'on-release' };
  if (target.running === true) return work('others', true);
  return work(isNew(target) ? startOf(target, request) : 'others-stopped', true);
}

/** Edge never put a release there, and people want it to serve (docs/decisions/0004). */
export const isNew = (target: Candidate) => target.before === null && target.wanted;

function startOf({ members }: Candidate, { hard }: PlanRequest): SequenceName {
  if (hard) return 'hard';
  return members.length === 0 ? 'plain' : 'cold';
}

function isOnRelease(target: Candidate, { release, options }: PlanRequest): boolean {
  return !options.force && release !== null && target.before === release.id && !target.unproven;
}
