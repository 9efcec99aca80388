import { z } from 'zod';
import { argvField, envField, ifUnknownField, secretRefField } from '../domain/fields.ts';
import type { Failure, Outcome } from '../domain/outcome.ts';
import type { Json } from '../lib/json.ts';
import type { ActionContext } from '../ports/action.ts';
import { defineAction } from './define.ts';
import {
  type CommandEnd,
  cancelCommand,
  type Dispatched,
  dispatched,
  endEarlierGroups,
  type RemoteCommand,
  runCommand,
} from './remote-command.ts';
import { hostAddress, plannedRelease } from './schemas.ts';

/**
 * `graceMs`: how long an aborted command has between TERM and KILL. A `release` is named in the command's environment:
 * EDGE_RELEASE, EDGE_VERSION, EDGE_RELEASE_HASH. `mask`: secrets that it may read on the host, which its output must not show.
 * `ifUnknown`: what follows when nobody saw how it ended (M11). Left out, a person is asked.
 */
export const hostRunInputs = z.strictObject({
  host: hostAddress,
  argv: argvField,
  env: envField.default({}),
  cwd: z.string().optional(),
  sudoUser: z.string().optional(),
  graceMs: z.int().min(0).default(10_000),
  release: plannedRelease.nullable().optional(),
  mask: z.array(secretRefField).default([]),
  ifUnknown: ifUnknownField.optional(),
});
type Inputs = z.infer<typeof hostRunInputs>;

const outputs = z.strictObject({ outputBytes: z.int(), droppedBytes: z.int() });

/** Where the command stands, in its `tries`-th run again, and the check that was made of one that is unknown. */
const state = dispatched.extend({ tries: z.int().default(0), check: dispatched.nullable().default(null) });
type State = { readonly seen: Dispatched | null; readonly tries: number; readonly check: Dispatched | null };

const MOST_TRIES = 3;
/** Beyond those of the command itself. */
const CHECK_ORDINAL = MOST_TRIES + 1;

/** Runs a command on a host as a detached task: at most once, whatever dies meanwhile (contract C17). */
export const hostRun = defineAction({
  name: 'host.run',
  major: 2,
  inputs: hostRunInputs,
  outputs,
  fences: true,
  async apply(context, inputs) {
    let now = stateOf(context);
    const open = now.seen ? undefined : await endEarlierGroups(context, commandOf(inputs, 0), inputs.graceMs);
    if (open) return open;
    for (;;) {
      const ran = await runOnce(context, inputs, now);
      const { outcome } = ran;
      if (outcome.kind !== 'unknown' || context.remainingMs() <= 0) return outcome;
      if (typeof inputs.ifUnknown === 'object') return checked(context, inputs, { ...ran, outcome });
      const isLast = inputs.ifUnknown !== 'retry' || now.tries === MOST_TRIES;
      if (isLast || !(await isGone(context, inputs, now.tries))) return outcome;
      now = { seen: null, tries: now.tries + 1, check: null };
    }
  },
  async cancel(context, inputs) {
    const { seen, tries, check } = stateOf(context);
    const { graceMs } = inputs;
    if (check) {
      const proof = await cancelCommand(context, checkOf(inputs), { wasDispatched: true, graceMs });
      if (!proof.gone) return proof;
    }
    return cancelCommand(context, commandOf(inputs, tries), { wasDispatched: seen !== null, graceMs });
  },
});

/** Workers of before mask the secrets of `env` alone; plans without files are for them too. */
export const earlierHostRun = { ...hostRun, major: 1 };

type Ran = { readonly outcome: Outcome; readonly now: State };

async function runOnce(context: ActionContext, inputs: Inputs, before: State): Promise<Ran> {
  let now = before;
  const end = await runCommand(context, commandOf(inputs, now.tries), {
    dispatched: now.seen,
    checkpoint: (seen) => {
      now = { ...now, seen };
      return checkpointOf(now);
    },
  });
  return { outcome: outcomeOf(end, inputs), now };
}

/** Without what is not needed yet: most commands run once, and are seen to their end. */
function checkpointOf({ seen, tries, check }: State): Json {
  return { ...seen, ...(tries > 0 && { tries }), ...(check && { check }) };
}

/** One that may still run is not run beside itself. */
async function isGone(context: ActionContext, inputs: Inputs, tries: number): Promise<boolean> {
  const options = { wasDispatched: true, graceMs: inputs.graceMs };
  const proof = await cancelCommand(context, commandOf(inputs, tries), options).catch(() => null);
  return proof?.gone === true;
}

type Unknown = Extract<Outcome, { kind: 'unknown' }>;

/** Asks the host itself: exit status 0 means that the command has done its work. Anything else is a person's to look at. */
async function checked(
  context: ActionContext,
  inputs: Inputs,
  { outcome, now }: { readonly outcome: Unknown; readonly now: State },
): Promise<Outcome> {
  const end = await runCommand(context, checkOf(inputs), {
    dispatched: now.check,
    checkpoint: (check) => checkpointOf({ ...now, check }),
  });
  if (end.kind === 'open') return end.outcome.kind === 'wait' ? end.outcome : outcome;
  const { code, outputBytes, droppedBytes } = end;
  if (code === 0) return { kind: 'done', outputs: { outputBytes, droppedBytes } };
  return { kind: 'unknown', seen: `${outcome.seen}; its check ended with exit status ${code}` };
}

function checkOf(inputs: Inputs): RemoteCommand {
  const argv = typeof inputs.ifUnknown === 'object' ? inputs.ifUnknown.check : [];
  return { ...commandOf(inputs, CHECK_ORDINAL), argv };
}

function commandOf(inputs: Inputs, ordinal: number): RemoteCommand {
  const { host, argv, cwd, sudoUser, release, mask } = inputs;
  const env = release ? { ...inputs.env, ...variablesOf(release) } : inputs.env;
  return { host, ordinal, argv, env, mask, cwd, sudoUser };
}

const variablesOf = ({ id, version, hash }: z.infer<typeof plannedRelease>) => ({
  EDGE_RELEASE: id,
  EDGE_VERSION: version,
  EDGE_RELEASE_HASH: hash,
});

function stateOf({ checkpoint }: ActionContext): State {
  if (checkpoint === null) return { seen: null, tries: 0, check: null };
  const { tries, check, ...seen } = state.parse(checkpoint);
  return { seen, tries, check };
}

/** A command that ran to its end is never tried again under the same id, so its failure is not retryable. */
function outcomeOf(end: CommandEnd, inputs: Inputs): Outcome {
  if (end.kind === 'open') return end.outcome;
  const { outputBytes, droppedBytes } = end;
  if (end.code === 0) return { kind: 'done', outputs: { outputBytes, droppedBytes } };
  return { kind: 'failed', error: commandFailed(inputs.argv, end), retryable: false };
}

/** The failure of a command, with the last of what it wrote. */
export function commandFailed(
  argv: readonly string[],
  end: CommandEnd & { readonly kind: 'exited' },
): Failure {
  const said = end.lastLines === '' ? 'It wrote nothing.' : `Its last lines:\n${end.lastLines}`;
  return {
    code: 'command_failed',
    message: `\`${argv.join(' ')}\` ended with exit status ${end.code}. ${said}`,
    cause: 'command',
    exitStatus: end.code,
  };
}
