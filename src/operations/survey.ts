import type { MemberRef, MemberState } from '../domain/balancer.ts';
import { type Hold, memberKey, poolKey } from '../domain/capacity.ts';
import { deviceOf, type Environment } from '../domain/environment.ts';
import { asEdgeError, EdgeError } from '../domain/errors.ts';
import { membersOf } from '../domain/project-environment.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { PoolSeen } from '../plan/pools.ts';
import type { TargetSeen } from '../plan/request.ts';
import type { Documents } from '../plan/settings.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fleet } from '../ports/views.ts';
import type { PlaceRequest } from './documents.ts';
import type { OperationPorts } from './ports.ts';

/** What is looked at before a plan is made. */

const SIDE_BY_SIDE = 8;
const LOOK_MS = 15_000;

export type FleetSeen = {
  readonly targets: readonly TargetSeen[];
  /** Members that deployments of other projects have out of service now, and are going to return. */
  readonly heldByOthers: readonly MemberRef[];
  /** Members that this project has parked here. */
  readonly parked: readonly MemberRef[];
};

/** What the record knows of the targets. Whether a service runs is not looked at: that is `null`. */
export async function fleetSeen(
  { views }: OperationPorts,
  { project, environment }: PlaceRequest,
): Promise<FleetSeen> {
  const [own, whole] = await Promise.all([
    views.fleet({ project, environment }),
    views.fleet({ environment }),
  ]);
  const ownKeys = new Set(own.holds.map(memberKey));
  return {
    targets: targetsSeen(own),
    parked: own.holds.filter(isParked),
    heldByOthers: whole.holds.filter((hold) => hold.phase === 'taken' && !ownKeys.has(memberKey(hold))),
  };
}

function targetsSeen({ holds, targets }: Fleet): readonly TargetSeen[] {
  const parked = new Set(holds.filter(isParked).map(({ target }) => target));
  const placed = new Map(targets.map((each) => [each.target, each]));
  return [...new Set([...parked, ...placed.keys()])].map((target) => ({
    target,
    before: placed.get(target)?.release ?? null,
    unproven: placed.get(target)?.unproven ?? false,
    parked: parked.has(target),
    running: null,
  }));
}

export const isParked = ({ phase }: Hold): boolean => phase === 'parked';

/** The pools of a project environment. One whose balancer does not answer is left out: the plan says so. */
export async function poolsSeen(ports: OperationPorts, place: Place): Promise<readonly PoolSeen[]> {
  const seen: PoolSeen[] = [];
  const pools = poolsNamed(place);
  await forEachLimited(pools, SIDE_BY_SIDE, async (ref) => {
    const members = await look(ports, place.environment, ref);
    if (members) seen.push({ ...ref, members });
  });
  return seen.sort((a, b) => (poolKey(a) < poolKey(b) ? -1 : 1));
}

type Place = Pick<Documents, 'projectEnvironment' | 'environment'>;
export type PoolRef = { readonly balancer: string; readonly pool: string };

export function poolsNamed({ projectEnvironment, environment }: Place): readonly PoolRef[] {
  const members = projectEnvironment.targets.flatMap((target) => membersOf(target, environment));
  return [
    ...new Map(
      members.map(({ balancer, pool }) => [poolKey({ balancer, pool }), { balancer, pool }]),
    ).values(),
  ];
}

async function look(
  ports: OperationPorts,
  environment: Environment,
  ref: PoolRef,
): Promise<readonly MemberState[] | null> {
  try {
    return await membersSeen(ports, environment, ref);
  } catch (thrown) {
    if (asEdgeError(thrown).code === 'balancer_unreachable') return null;
    throw thrown;
  }
}

/** Rejects with `config_reference`, `balancer_unreachable`, `balancer_refused`, `balancer_member_unknown`. */
export async function membersSeen(
  ports: OperationPorts,
  environment: Environment,
  { balancer, pool }: PoolRef,
): Promise<readonly MemberState[]> {
  const found = Object.entries(environment.balancers).find(
    ([name]) => deviceOf(environment, name) === balancer,
  );
  if (!found) throw new EdgeError('config_reference', `The environment has no balancer "${balancer}"`);
  const [name, config] = found;
  const late = deadline(ports.clock, LOOK_MS);
  try {
    const device = await ports.balancer(config);
    return await device.members(pool, late.signal);
  } catch (thrown) {
    const silent = () => new EdgeError('balancer_unreachable', `no answer within ${LOOK_MS / 1_000} s`);
    throw named(name, late.signal.aborted ? silent() : asEdgeError(thrown));
  } finally {
    late.met();
  }
}

/** A signal that is aborted after `ms`, by the clock of the port, unless `met` is called before. */
function deadline(clock: Clock, ms: number): { readonly signal: AbortSignal; readonly met: () => void } {
  const [late, over] = [new AbortController(), new AbortController()];
  clock.sleep(ms, over.signal).then(
    () => late.abort(),
    () => undefined,
  );
  return { signal: late.signal, met: () => over.abort() };
}

/** A device says what is wrong with it, and not which of several it is. */
function named(name: string, { code, message, body, cause }: EdgeError): EdgeError {
  return new EdgeError(code, `Balancer ${name}: ${message}`, {
    ...{ hint: body.hint, cause },
    where: { path: `balancers.${name}` },
  });
}
