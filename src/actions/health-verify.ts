import { z } from 'zod';
import type { MemberRef } from '../domain/balancer.ts';
import { envField, portField, timeoutField } from '../domain/fields.ts';
import { healthCheckSchema } from '../domain/health.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ActionContext } from '../ports/action.ts';
import { defineAction } from './define.ts';
import { type Look, type LookPlace, lookOnce } from './health-look.ts';
import type { MembersPlace } from './health-members.ts';
import { dispatched } from './remote-command.ts';
import { balancers, hostAddress, memberRef, plannedRelease } from './schemas.ts';

/** From this interval on the wait between two looks is the board's, and holds no worker. */
const YIELD_FROM_MS = 1_000;

/**
 * `url` is for an HTTP check, `address` and `port` for TCP, `host` and what follows it for a command, `members` and `balancers`
 * for the monitor of a balancer.
 */
export const healthVerifyInputs = z
  .strictObject({
    check: healthCheckSchema,
    url: z.string().optional(),
    address: z.string().optional(),
    port: portField.optional(),
    host: hostAddress.optional(),
    cwd: z.string().optional(),
    env: envField.optional(),
    sudoUser: z.string().optional(),
    members: z.array(memberRef).optional(),
    balancers: balancers.optional(),
    passes: z.int().min(1),
    intervalMs: timeoutField,
    windowMs: timeoutField,
    /** The version that must answer, where the check reads one. */
    release: plannedRelease.nullable().optional(),
  })
  .refine((inputs) => placeOf(inputs) !== undefined, 'the check has no place to look at');
type Inputs = z.infer<typeof healthVerifyInputs>;

const progress = z.object({
  looks: z.number(),
  passed: z.number(),
  inRow: z.number(),
  /** How often it was well and then ill again. */
  falls: z.number().default(0),
  /** That counts them. What another saw last before it died nobody knows: its looks are no row with those of the next. */
  attempt: z.number(),
  /** The window has ended when no more than this is left of the task's time. */
  endsAtRemainingMs: z.number(),
  /** A command that may be running. */
  command: dispatched.nullable(),
});
type Progress = z.infer<typeof progress>;

const outputs = z.strictObject({ looks: z.number(), passed: z.number(), seen: z.string() });

/**
 * A target is well when its check passes `passes` times in a row within the window. One that passes and fails in turn never
 * is (FAULTS row 33), and its failure says how often it changed. What was seen last is in the message too.
 */
export const healthVerify = defineAction({
  name: 'health.verify',
  major: 1,
  inputs: healthVerifyInputs,
  outputs,
  fences: true,
  async apply(context, inputs) {
    const { intervalMs } = inputs;
    let state = await begun(context, inputs);
    for (;;) {
      const look = await lookOnce(context, lookFor(inputs, state));
      state = after(state, look);
      const verdict = verdictOf(context, inputs, state, look);
      if (verdict) return verdict;
      const seen = `${state.inRow} of ${inputs.passes} passes in a row; ${look.seen}`;
      if (intervalMs >= YIELD_FROM_MS)
        return { kind: 'wait', checkpoint: state, wakeAfterMs: intervalMs, progress: seen };
      context.progress(seen);
      await context.ports.clock.sleep(intervalMs, context.signal);
    }
  },
});

/** Where an earlier attempt left off, or the beginning of the window: noted first, so that no takeover prolongs it. */
async function begun(context: ActionContext, { windowMs, intervalMs }: Inputs): Promise<Progress> {
  const before = progress.nullable().parse(context.checkpoint);
  const { attempt } = context;
  if (before) return before.attempt === attempt ? before : { ...before, inRow: 0, attempt };
  const endsAtRemainingMs = Math.max(0, context.remainingMs() - windowMs);
  const state = { looks: 0, passed: 0, inRow: 0, falls: 0, attempt, endsAtRemainingMs, command: null };
  if (intervalMs < YIELD_FROM_MS) await context.saveCheckpoint(state);
  return state;
}

function after(state: Progress, look: Look): Progress {
  const passed = state.passed + (look.passed ? 1 : 0);
  return {
    ...state,
    looks: state.looks + 1,
    passed,
    inRow: look.passed ? state.inRow + 1 : 0,
    falls: state.falls + (state.inRow > 0 && !look.passed ? 1 : 0),
    command: null,
  };
}

function verdictOf(context: ActionContext, inputs: Inputs, state: Progress, look: Look): Outcome | undefined {
  const { looks, passed, inRow, falls } = state;
  if (inRow >= inputs.passes) return { kind: 'done', outputs: { looks, passed, seen: look.seen } };
  if (context.remainingMs() - inputs.intervalMs >= state.endsAtRemainingMs) return undefined;
  const needed = `${inputs.passes} in a row within ${inputs.windowMs / 1_000} s`;
  const flaps = falls > 0 ? `it flaps, well and ill again ${falls} times; ` : '';
  const message = `${flaps}${look.seen} (${passed} of ${looks} looks passed, needed are ${needed})`;
  return { kind: 'failed', error: { code: 'health_failed', message, cause: 'health' }, retryable: false };
}

function lookFor(inputs: Inputs, state: Progress) {
  const place = placeOf(inputs);
  if (!place) throw new Error('inputs without a place were parsed');
  return {
    place,
    version: inputs.release?.version,
    command: {
      ordinal: state.looks,
      dispatched: state.command,
      checkpoint: (command: NonNullable<Progress['command']>) => ({ ...state, command }),
    },
  };
}

/** What the check needs to look, if it was given. */
function placeOf(inputs: {
  readonly check: z.infer<typeof healthCheckSchema>;
  readonly url?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly host?: z.infer<typeof hostAddress> | undefined;
  readonly cwd?: string | undefined;
  readonly env?: z.infer<typeof envField> | undefined;
  readonly sudoUser?: string | undefined;
  readonly members?: readonly MemberRef[] | undefined;
  readonly balancers?: MembersPlace['balancers'] | undefined;
}): LookPlace | undefined {
  const { check, url, address, port, host, cwd, env, sudoUser, members = [] } = inputs;
  switch (check.kind) {
    case 'http':
      return url === undefined ? undefined : { kind: 'http', check, url };
    case 'tcp':
      return address === undefined || port === undefined ? undefined : { kind: 'tcp', check, address, port };
    case 'command':
      return host && { kind: 'command', check, host, cwd, env, sudoUser };
    case 'balancer':
      return members.length === 0 || !inputs.balancers
        ? undefined
        : { kind: 'balancer', check, members, balancers: inputs.balancers };
    default:
      return check satisfies never;
  }
}
