import type { BalancerConfig } from '../../domain/balancer.ts';
import { memberKey } from '../../domain/capacity.ts';
import type { HealthCheck } from '../../domain/health.ts';
import { type ReleaseId, releaseId } from '../../domain/ids.ts';
import { hostTargetOf, type Plan, type PlanTarget, type Step } from '../../domain/plan.ts';
import type { PlanSimulation, SimulatedPool } from '../../domain/plan-simulation.ts';
import type { Json } from '../../lib/json.ts';
import { placeOf } from '../manner.ts';
import { refsOf, type Scenario, type ScenarioTarget } from '../scenario.ts';

/** What a target runs that Edge never deployed to. */
const BEFORE_EDGE = releaseId('before-edge-00000000');
/** Whose the members are that share a pool with the plan's. */
const OTHERS = '(others)';

export const stepsOf = (plan: Plan): readonly Step[] => Object.values(plan.sequences).flat();

export function literal(step: Step | undefined, name: string): Json | undefined {
  const input = step?.inputs[name];
  return input && 'value' in input ? input.value : undefined;
}

const verifyOf = (plan: Plan): Step | undefined =>
  stepsOf(plan).find(({ action }) => action.startsWith('health.verify@'));

/** How a target shows that it is well; `undefined` where nothing is verified. The step has been checked by its action's schema. */
export const checkOf = (plan: Plan): HealthCheck | undefined =>
  literal(verifyOf(plan), 'check') as HealthCheck | undefined;

export function healthOf(plan: Plan): Scenario['projects'][number]['health'] {
  const verify = verifyOf(plan);
  const number = (name: string): number => Number(literal(verify, name) ?? 0);
  return { passes: number('passes'), intervalMs: number('intervalMs'), windowMs: number('windowMs') };
}

/** Mostly one process, which is quicker; in some runs workers have processes of their own, and die by themselves. */
const isEmbedded = (seed: number): Scenario['embedded'] => (seed % 8 === 0 ? false : 'all');

/** The estate of a plan as a scenario: its targets as they were seen, and the members of others in the same pools. */
export function scenarioOfPlan({ plan, pools, parked, returning }: PlanSimulation, seed: number): Scenario {
  const seen = new Map(
    pools.flatMap((pool) => pool.members.map((state) => [memberKey({ ...pool, ...state }), state])),
  );
  const isParked = new Set(parked.map(memberKey));
  const planned = plan.targets.filter(({ hook }) => !hook);
  const targets = planned.map((target) => scenarioTarget(plan, target, { seen, isParked }));
  const named = new Set(targets.flatMap((target) => refsOf(target).map(memberKey)));
  const isReturning = new Set(returning.map(memberKey));
  const workers = [...new Set(plan.targets.map(({ pool }) => pool))];
  return {
    ...{
      seed,
      servers: 1,
      embedded: isEmbedded(seed),
      asks: [],
      strengths: {},
      startsAtBoot: true,
      policy: {},
    },
    zones: workers.map((name) => ({ name, workers: 1 })),
    projects: [{ name: plan.project, releases: [], strategy: {}, health: healthOf(plan) }],
    targets: [
      ...targets,
      ...hostsOfHooks(plan),
      ...pools.flatMap((pool) => othersIn(pool, named, isReturning)),
    ],
    faultsUntilMs: Number.MAX_SAFE_INTEGER,
  };
}

type Seen = {
  readonly seen: ReadonlyMap<string, SimulatedPool['members'][number]>;
  readonly isParked: ReadonlySet<string>;
};

function scenarioTarget(plan: Plan, target: PlanTarget, { seen, isParked }: Seen): ScenarioTarget {
  const members = target.members.map((ref) => {
    const state = seen.get(memberKey(ref));
    const isDisabled = state !== undefined && state.admin !== 'enabled' && !isParked.has(memberKey(ref));
    return { ...ref, isDisabled };
  });
  const isDown = target.members.some(
    (ref) => seen.get(memberKey(ref))?.health === 'down' && !isParked.has(memberKey(ref)),
  );
  const found = (): ScenarioTarget['found'] => {
    if (members.length > 0 && members.every(({ isDisabled }) => isDisabled)) return 'disabled';
    if (isDown || !target.inServiceBefore) return target.before === null ? 'new' : 'stopped';
    return 'serves';
  };
  return { name: target.name, project: plan.project, zone: target.pool, members, found: found() };
}

/** Hosts that hooks run on, of targets that the plan leaves alone. */
function hostsOfHooks({ targets }: Plan): readonly ScenarioTarget[] {
  const planned = new Set(targets.map(({ name }) => name));
  const hosts = new Map(
    targets.flatMap((each) => (each.hook ? [[hostTargetOf(each), each.pool] as const] : [])),
  );
  return [...hosts]
    .filter(([name]) => !planned.has(name))
    .map(([name, zone]) => ({ name, project: OTHERS, zone, members: [], found: 'serves' }));
}

/** Members of a pool that the plan does not touch: they count in its floor. */
function othersIn(
  { balancer, pool, members }: SimulatedPool,
  named: ReadonlySet<string>,
  isReturning: ReadonlySet<string>,
): readonly ScenarioTarget[] {
  return members.flatMap(({ member, admin, health }) => {
    const key = memberKey({ balancer, pool, member });
    if (named.has(key)) return [];
    const isOut = admin !== 'enabled' || isReturning.has(key);
    const found = isOut ? 'disabled' : health === 'up' || health === 'unknown' ? 'serves' : 'stopped';
    return [{ name: key, project: OTHERS, zone: '', members: [{ balancer, pool, member }], found }];
  });
}

/** What a target ran before; something does where it serves. */
export function releaseBefore(plan: Plan): (target: ScenarioTarget) => ReleaseId | null {
  const before = new Map(plan.targets.map((target) => [target.name, target.before]));
  return ({ name, found }) => before.get(name) ?? (found === 'new' ? null : BEFORE_EDGE);
}

/** Devices by what reaches them, as the steps of the plan have it. */
export function devicesOf(plan: Plan): (config: BalancerConfig) => string {
  const devices = stepsOf(plan).flatMap((step) =>
    Object.entries((literal(step, 'balancers') ?? {}) as Readonly<Record<string, BalancerConfig>>),
  );
  const names = new Map(devices.map(([name, config]) => [placeOf(config), name]));
  return (config) => names.get(placeOf(config)) ?? '';
}
