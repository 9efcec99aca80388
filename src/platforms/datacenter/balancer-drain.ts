import { z } from 'zod';
import { defineAction } from '../../actions/define.ts';
import { balancers, memberRef } from '../../actions/schemas.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { ActionContext } from '../../ports/action.ts';
import { balancerOf, lookAtPools, nameOf, pick, type SeenMember } from './members.ts';
import { pauseBeforeLook } from './polling.ts';

/** `timeoutMs`: how long live connections may take to end; `then` what follows if they do not. */
export const balancerDrainInputs = z.strictObject({
  members: z.array(memberRef),
  balancers,
  timeoutMs: z.int().min(0),
  // biome-ignore lint/suspicious/noThenProperty: the word of the strategy; nothing awaits these inputs
  then: z.enum(['force', 'stop']),
});
type Inputs = z.infer<typeof balancerDrainInputs>;

const progress = z.object({
  /** What was left of the task's time when the drain began, and at its deadline. */
  beganAtRemainingMs: z.number(),
  endsAtRemainingMs: z.number(),
  looks: z.number(),
  /** Looks in a row that counted no connection. */
  quiet: z.number(),
});
type Progress = z.infer<typeof progress>;

const member = memberRef.extend({
  admin: z.enum(['enabled', 'drained', 'offline']),
  /** `null`: the balancer does not count them. */
  connections: z.number().nullable(),
});
const outputs = z.strictObject({ members: z.array(member), forced: z.boolean(), waitedMs: z.number() });

/** A count of zero is believed when it is seen twice: counters lag behind, and a last request may be on its way. */
const QUIET_LOOKS = 2;

/**
 * Takes members out of service: no new connections, then live connections counted down to zero until the deadline, then
 * `force` (offline) or `stop` (the target fails, its connections are left alone), and a last read-back. A count that the
 * balancer does not give is not zero: then the whole time is waited. A member that something re-enabled is disabled again
 * (FAULTS rows 28, 30, 34).
 */
export const balancerDrain = defineAction({
  name: 'balancer.drain',
  major: 1,
  inputs: balancerDrainInputs,
  outputs,
  fences: false,
  async apply(context, inputs) {
    let state = await begun(context, inputs);
    for (;;) {
      const seen = await disabled(context, inputs);
      state = { ...state, looks: state.looks + 1, quiet: isQuiet(seen) ? state.quiet + 1 : 0 };
      if (seen.length === 0 || state.quiet >= QUIET_LOOKS) return done(context, state, seen, false);
      if (context.remainingMs() <= state.endsAtRemainingMs) return late(context, inputs, state, seen);
      const pause = await pauseBeforeLook(context, state, wordsOf(seen));
      if (pause) return pause;
    }
  },
});

/** The intent, stored before the first write: whoever comes next reckons with members that are out. */
async function begun(context: ActionContext, { timeoutMs }: Inputs): Promise<Progress> {
  const before = progress.nullable().parse(context.checkpoint);
  if (before) return before;
  const beganAtRemainingMs = context.remainingMs();
  const endsAtRemainingMs = Math.max(0, beganAtRemainingMs - timeoutMs);
  const state = { beganAtRemainingMs, endsAtRemainingMs, looks: 0, quiet: 0 };
  await context.saveCheckpoint(state);
  return state;
}

/** The members as they are now; one that takes new connections, still or again, is disabled first. */
async function disabled(context: ActionContext, inputs: Inputs): Promise<readonly SeenMember[]> {
  const seen = pick(await lookAtPools(context, inputs.balancers, inputs.members), inputs.members);
  const now: SeenMember[] = [];
  for (const ref of seen) {
    if (ref.state.admin !== 'enabled') now.push(ref);
    else now.push({ ...ref, state: await disable(context, inputs, ref, 'drained') });
  }
  return now;
}

async function disable(context: ActionContext, inputs: Inputs, ref: SeenMember, to: 'drained' | 'offline') {
  const device = await balancerOf(context, inputs.balancers, ref.balancer);
  return device.disable({ pool: ref.pool, member: ref.member }, to, context.signal);
}

const isQuiet = (seen: readonly SeenMember[]): boolean => seen.every(({ state }) => state.connections === 0);

async function late(
  context: ActionContext,
  inputs: Inputs,
  state: Progress,
  seen: readonly SeenMember[],
): Promise<Outcome> {
  if (inputs.then === 'stop') return stopped(inputs, seen);
  const forced: SeenMember[] = [];
  for (const ref of seen) forced.push({ ...ref, state: await disable(context, inputs, ref, 'offline') });
  return done(context, state, forced, true);
}

function stopped({ timeoutMs }: Inputs, seen: readonly SeenMember[]): Outcome {
  const message = `After ${timeoutMs} ms of draining: ${wordsOf(seen)}. The policy is to stop then.`;
  return { kind: 'failed', error: { code: 'drain_timeout', message, cause: 'balancer' }, retryable: false };
}

function done(
  context: ActionContext,
  state: Progress,
  seen: readonly SeenMember[],
  forced: boolean,
): Outcome {
  const members = seen.map(({ balancer, pool, member, state: { admin, connections } }) => {
    return { balancer, pool, member, admin, connections: connections ?? null };
  });
  const waitedMs = Math.max(0, Math.round(state.beganAtRemainingMs - context.remainingMs()));
  return { kind: 'done', outputs: { members, forced, waitedMs } };
}

function wordsOf(seen: readonly SeenMember[]): string {
  const open = seen.filter(({ state }) => state.connections !== 0);
  if (open.length === 0) return 'no connection is counted';
  const counted = (ref: SeenMember): string =>
    ref.state.connections === undefined
      ? `the connections of ${nameOf(ref)} are not counted`
      : `${ref.state.connections} connections to ${nameOf(ref)}`;
  return open.map(counted).join(', ');
}
