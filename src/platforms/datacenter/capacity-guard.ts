import { z } from 'zod';
import { defineAction } from '../../actions/define.ts';
import { balancers, heldMember, memberRef } from '../../actions/schemas.ts';
import { isInService, type PoolObservation, withoutReserve } from '../../domain/balancer.ts';
import type { GuardOutputs } from '../../domain/capacity.ts';
import { lookAtPools, pick, type SeenPool } from './members.ts';

export const capacityGuardInputs = z.strictObject({ members: z.array(memberRef), balancers });

const observation = z.strictObject({
  balancer: z.string(),
  pool: z.string(),
  configured: z.int().min(0),
  out: z.array(z.string()),
  reserve: z.array(z.string()).exactOptional(),
});
const outputs = z.strictObject({ observed: z.array(observation), members: z.array(heldMember) });

/**
 * Reads what is really in service in every pool that the target is in, and how its members are set, to be restored just so.
 * It decides nothing: the driver grants or refuses in its transaction, from this observation and all holds (contract C8).
 */
export const capacityGuard = defineAction({
  name: 'capacity.guard',
  major: 1,
  inputs: capacityGuardInputs,
  outputs,
  fences: true,
  async apply(context, inputs) {
    const pools = await lookAtPools(context, inputs.balancers, inputs.members);
    const members = pick(pools, inputs.members).map(({ state, ...ref }) => ({
      ...ref,
      asFound: state.asFound,
    }));
    const seen = { observed: pools.map(observationOf), members } satisfies GuardOutputs;
    return { kind: 'done', outputs: seen };
  },
});

/** Members in reserve get no traffic: they count neither as capacity nor as missing. */
function observationOf({ balancer, pool, states: all }: SeenPool): PoolObservation {
  const states = withoutReserve(all);
  const out = states.filter((state) => !isInService(state)).map(({ member }) => member);
  const reserve = all.filter((state) => state.reserve === true).map(({ member }) => member);
  return { balancer, pool, configured: states.length, out, ...(reserve.length > 0 && { reserve }) };
}
