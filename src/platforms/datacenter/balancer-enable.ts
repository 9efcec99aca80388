import { z } from 'zod';
import { defineAction } from '../../actions/define.ts';
import { balancers, heldMember, memberRef } from '../../actions/schemas.ts';
import { isInService } from '../../domain/balancer.ts';
import type { HeldMember } from '../../domain/capacity.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { ActionContext } from '../../ports/action.ts';
import { balancerOf, lookAtPools, nameOf, pick, type SeenMember } from './members.ts';
import { PAUSES_MS, pauseBeforeLook } from './polling.ts';

/** `waitUpMs`: how long the balancer's monitor may take to see the members up. */
export const balancerEnableInputs = z.strictObject({
  members: z.array(heldMember),
  balancers,
  waitUpMs: z.int().min(0),
});
type Inputs = z.infer<typeof balancerEnableInputs>;

const progress = z.object({ endsAtRemainingMs: z.number(), looks: z.number(), restored: z.boolean() });
type Progress = z.infer<typeof progress>;

const member = memberRef.extend({
  admin: z.enum(['enabled', 'drained', 'offline']),
  health: z.enum(['up', 'down', 'checking', 'unknown']),
});
const outputs = z.strictObject({ members: z.array(member) });

/**
 * Returns members to exactly the settings they were found with, reads back, and waits until those that are enabled serve
 * again. A member that was found disabled stays so. A member that does not come up fails the target; it is not taken out
 * again here, since its balancer sends it nothing.
 */
export const balancerEnable = defineAction({
  name: 'balancer.enable',
  major: 1,
  inputs: balancerEnableInputs,
  outputs,
  fences: false,
  async apply(context, inputs) {
    let state = await begun(context, inputs);
    if (!state.restored) {
      for (const ref of inputs.members) await restore(context, inputs, ref);
      // Counted from here: its owner before may have died before it wrote.
      const endsAtRemainingMs = Math.max(0, context.remainingMs() - inputs.waitUpMs);
      state = { ...state, restored: true, endsAtRemainingMs };
    }
    for (;;) {
      const seen = pick(await lookAtPools(context, inputs.balancers, inputs.members), inputs.members);
      state = { ...state, looks: state.looks + 1 };
      const down = seen.filter((ref) => ref.state.admin === 'enabled' && !isInService(ref.state));
      if (down.length === 0) return done(seen);
      if (context.remainingMs() <= state.endsAtRemainingMs) return notUp(inputs, down);
      const pause = await pauseBeforeLook(context, state, { pausesMs: PAUSES_MS.up, seen: wordsOf(down) });
      if (pause) return pause;
    }
  },
});

async function begun(context: ActionContext, { waitUpMs }: Inputs): Promise<Progress> {
  const before = progress.nullable().parse(context.checkpoint);
  if (before) return before;
  const endsAtRemainingMs = Math.max(0, context.remainingMs() - waitUpMs);
  const state = { endsAtRemainingMs, looks: 0, restored: false };
  await context.saveCheckpoint(state);
  return state;
}

async function restore(context: ActionContext, inputs: Inputs, ref: HeldMember): Promise<void> {
  const device = await balancerOf(context, inputs.balancers, ref.balancer);
  context.signal.throwIfAborted();
  await device.restore(
    { pool: ref.pool, member: ref.member },
    ref.asFound,
    context.lost,
    context.requireLease,
  );
}

function done(seen: readonly SeenMember[]): Outcome {
  const members = seen.map(({ balancer, pool, member, state: { admin, health } }) => {
    return { balancer, pool, member, admin, health };
  });
  return { kind: 'done', outputs: { members } };
}

function notUp({ waitUpMs }: Inputs, down: readonly SeenMember[]): Outcome {
  const message = `${waitUpMs} ms after it was enabled: ${wordsOf(down)}.`;
  return { kind: 'failed', error: { code: 'member_not_up', message, cause: 'health' }, retryable: false };
}

const wordsOf = (down: readonly SeenMember[]): string =>
  down.map((ref) => `the balancer sees ${nameOf(ref)} as ${ref.state.health}`).join(', ');
