import { z } from 'zod';
import { defineAction } from '../../actions/define.ts';
import { balancers, memberRef } from '../../actions/schemas.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { ActionContext } from '../../ports/action.ts';
import { balancerOf, lookAtPools, nameOf, pick, type SeenMember } from './members.ts';
import { PAUSES_MS, pauseBeforeLook } from './polling.ts';

/** `timeoutMs`: how long live connections may take to end; `then` what follows if they do not. */
export const balancerDrainInputs = z.strictObject({
  members: z.array(memberRef),
  balancers,
  timeoutMs: z.int().min(0),
  // biome-ignore lint/suspicious/noThenProperty: the word of the strategy; nothing awaits these inputs
  then: z.enum(['force', 'stop', 'continue']),
});
type Inputs = z.infer<typeof balancerDrainInputs>;

const progress = z.object({
  /** What was left of the task's time when the drain began, and when connections have had their time. */
  beganAtRemainingMs: z.number(),
  endsAtRemainingMs: z.number(),
  looks: z.number(),
  /** Looks in a row that counted no connection. */
  quiet: z.number(),
  /** The balancers have said that no new clients come, and at last that nobody comes: with all that makes it last there. */
  told: z.enum(['nothing', 'drained', 'offline']).default('nothing'),
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
 * `force` (offline), `stop` (the target fails, its connections are left alone) or `continue` (its outputs say what is left), and a
 * last read-back. A count that the
 * balancer does not give is not zero: then the whole time is waited. A member that something re-enabled is disabled again
 * (FAULTS rows 28, 30, 34). Where clients that the balancer remembers may come back to a drained member, it goes offline
 * once it is quiet, and has to be quiet again: so that nobody is cut off, and nobody comes while the release changes.
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
      const seen = await disabled(context, inputs, state);
      state = lookedAt(context, inputs, state, seen);
      const open = openOf(state, seen);
      if (seen.length === 0 || state.quiet >= QUIET_LOOKS) {
        if (open.length === 0) return done(context, state, seen, false);
        for (const ref of open) await disable(context, inputs, ref, 'offline');
        state = { ...state, told: 'offline', quiet: 0 };
      } else if (context.remainingMs() <= state.endsAtRemainingMs && !isClosing(state)) {
        return late(context, inputs, state, seen);
      }
      const pause = await pauseBeforeLook(context, state, { pausesMs: PAUSES_MS.drain, seen: wordsOf(seen) });
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
  const state = { beganAtRemainingMs, endsAtRemainingMs, looks: 0, quiet: 0, told: 'nothing' as const };
  await context.saveCheckpoint(state);
  return state;
}

/**
 * The members as they are now; one that takes new connections, still or again, is disabled first. One that is out already is
 * set so once more until a balancer has confirmed it: whoever set it may have died before the peer of the balancer knew.
 */
async function disabled(
  context: ActionContext,
  inputs: Inputs,
  { told }: Progress,
): Promise<readonly SeenMember[]> {
  const seen = pick(await lookAtPools(context, inputs.balancers, inputs.members), inputs.members);
  const now: SeenMember[] = [];
  for (const ref of seen) {
    const { admin } = ref.state;
    if (admin !== 'enabled' && told !== 'nothing') now.push(ref);
    else now.push(await taken(context, inputs, ref));
  }
  return now;
}

/** A write does not count connections: one that was out already keeps the count of the look before it. */
async function taken(context: ActionContext, inputs: Inputs, ref: SeenMember): Promise<SeenMember> {
  const { admin, connections } = ref.state;
  if (admin === 'enabled') return { ...ref, state: await disable(context, inputs, ref, 'drained') };
  return { ...ref, state: { ...(await disable(context, inputs, ref, admin)), connections } };
}

async function disable(context: ActionContext, inputs: Inputs, ref: SeenMember, to: 'drained' | 'offline') {
  const device = await balancerOf(context, inputs.balancers, ref.balancer);
  context.signal.throwIfAborted();
  return device.disable({ pool: ref.pool, member: ref.member }, to, context.lost, context.requireLease);
}

/** The time for connections to end begins when the balancers have said that no new ones come: its owner may have died before. */
function lookedAt(
  context: ActionContext,
  { timeoutMs }: Inputs,
  state: Progress,
  seen: readonly SeenMember[],
): Progress {
  const isFirst = state.told === 'nothing';
  return {
    ...state,
    ...(isFirst && { endsAtRemainingMs: Math.max(0, context.remainingMs() - timeoutMs) }),
    looks: state.looks + 1,
    quiet: isQuiet(seen) ? state.quiet + 1 : 0,
    told: isFirst ? 'drained' : state.told,
  };
}

/** Those to which clients that their balancer remembers may still come, or may after a failover. */
const openOf = ({ told }: Progress, seen: readonly SeenMember[]): readonly SeenMember[] =>
  seen.filter(({ state }) => state.persistent && (state.admin !== 'offline' || told !== 'offline'));

/** All are offline, and quiet so far: the deadline is for connections that stay. */
const isClosing = ({ told, quiet }: Progress): boolean => told === 'offline' && quiet > 0;

const isQuiet = (seen: readonly SeenMember[]): boolean => seen.every(({ state }) => state.connections === 0);

async function late(
  context: ActionContext,
  inputs: Inputs,
  state: Progress,
  seen: readonly SeenMember[],
): Promise<Outcome> {
  if (inputs.then === 'stop') return stopped(inputs, seen);
  if (inputs.then === 'continue') return done(context, state, seen, false);
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
  const notes = seen.flatMap(({ state: { note }, ...ref }) =>
    note === undefined ? [] : `${nameOf(ref)}: ${note}`,
  );
  return [countsOf(seen), ...notes].join('; ');
}

function countsOf(seen: readonly SeenMember[]): string {
  const open = seen.filter(({ state }) => state.connections !== 0);
  if (open.length === 0) return 'no connection is counted';
  const counted = (ref: SeenMember): string =>
    ref.state.connections === undefined
      ? `the connections of ${nameOf(ref)} are not counted`
      : `${ref.state.connections} connections to ${nameOf(ref)}`;
  return open.map(counted).join(', ');
}
