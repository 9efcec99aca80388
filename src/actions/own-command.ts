import { z } from 'zod';
import { envField, ifUnknownField, secretRefField } from '../domain/fields.ts';
import type { Failure, Outcome } from '../domain/outcome.ts';
import type { Json } from '../lib/json.ts';
import type { ActionContext, Cancelled } from '../ports/action.ts';
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
 * Where and how something of a team's own is run. `graceMs`: how long an aborted command has between TERM and KILL. A `release` is
 * named in the command's environment: EDGE_RELEASE, EDGE_VERSION, EDGE_RELEASE_HASH; so is the `outcome` of its deployment, where it
 * is run at its end: EDGE_OUTCOME. `mask`: secrets that it may read on the host,
 * which its output must not show.
 */
export const ownInputs = {
  host: hostAddress,
  env: envField.default({}),
  cwd: z.string().optional(),
  sudoUser: z.string().optional(),
  graceMs: z.int().min(0).default(10_000),
  release: plannedRelease.nullable().optional(),
  outcome: z.enum(['succeeded', 'failed', 'aborted']).optional(),
  mask: z.array(secretRefField).default([]),
  ifUnknown: ifUnknownField.optional(),
};

export type Exited = CommandEnd & { readonly kind: 'exited' };

/**
 * What a team has run on its hosts: a command or a script. `commandOf`: its n-th run. `graceMs`: how long an aborted one has
 * between TERM and KILL. `ifUnknown`: what follows when nobody saw how it ended (M11). Left out, a person is asked.
 */
export type OwnCommand = {
  readonly commandOf: (ordinal: number) => RemoteCommand;
  readonly outcomeOf: (end: Exited) => Outcome;
  readonly graceMs: number;
  readonly ifUnknown: z.infer<typeof ifUnknownField> | undefined;
};

/** Where the command stands, in its `tries`-th run again, and the check that was made of one that is unknown. */
const state = dispatched.extend({ tries: z.int().default(0), check: dispatched.nullable().default(null) });
type State = { readonly seen: Dispatched | null; readonly tries: number; readonly check: Dispatched | null };

const MOST_TRIES = 3;
/** Beyond those of the command itself. */
const CHECK_ORDINAL = MOST_TRIES + 1;

/** Runs it as a detached task: at most once, whatever dies meanwhile (contract C17). */
export async function runOwn(context: ActionContext, own: OwnCommand): Promise<Outcome> {
  let now = stateOf(context);
  const open = now.seen ? undefined : await endEarlierGroups(context, own.commandOf(0), own.graceMs);
  if (open) return open;
  for (;;) {
    const ran = await runOnce(context, own, now);
    const { outcome } = ran;
    if (outcome.kind !== 'unknown' || context.remainingMs() <= 0) return outcome;
    if (typeof own.ifUnknown === 'object') return checked(context, own, { ...ran, outcome });
    const isLast = own.ifUnknown !== 'retry' || now.tries === MOST_TRIES;
    if (isLast || !(await isGone(context, own, now.tries))) return outcome;
    now = { seen: null, tries: now.tries + 1, check: null };
  }
}

export async function cancelOwn(context: ActionContext, own: OwnCommand): Promise<Cancelled> {
  const { seen, tries, check } = stateOf(context);
  const { graceMs } = own;
  if (check) {
    const proof = await cancelCommand(context, checkOf(own), { wasDispatched: true, graceMs });
    if (!proof.gone) return proof;
  }
  return cancelCommand(context, own.commandOf(tries), { wasDispatched: seen !== null, graceMs });
}

type Ran = { readonly outcome: Outcome; readonly now: State };

async function runOnce(context: ActionContext, own: OwnCommand, before: State): Promise<Ran> {
  let now = before;
  const end = await runCommand(context, own.commandOf(now.tries), {
    dispatched: now.seen,
    checkpoint: (seen) => {
      now = { ...now, seen };
      return checkpointOf(now);
    },
  });
  return { outcome: end.kind === 'open' ? end.outcome : own.outcomeOf(end), now };
}

/** Without what is not needed yet: most commands run once, and are seen to their end. */
function checkpointOf({ seen, tries, check }: State): Json {
  return { ...seen, ...(tries > 0 && { tries }), ...(check && { check }) };
}

/** One that may still run is not run beside itself. */
async function isGone(context: ActionContext, own: OwnCommand, tries: number): Promise<boolean> {
  const options = { wasDispatched: true, graceMs: own.graceMs };
  const proof = await cancelCommand(context, own.commandOf(tries), options).catch(() => null);
  return proof?.gone === true;
}

type Unknown = Extract<Outcome, { kind: 'unknown' }>;

/** Asks the host itself: exit status 0 means that the command has done its work. Anything else is a person's to look at. */
async function checked(
  context: ActionContext,
  own: OwnCommand,
  { outcome, now }: { readonly outcome: Unknown; readonly now: State },
): Promise<Outcome> {
  const end = await runCommand(context, checkOf(own), {
    dispatched: now.check,
    checkpoint: (check) => checkpointOf({ ...now, check }),
  });
  if (end.kind === 'open') return end.outcome.kind === 'wait' ? end.outcome : outcome;
  if (end.code === 0) return own.outcomeOf(end);
  return { kind: 'unknown', seen: `${outcome.seen}; its check ended with exit status ${end.code}` };
}

function checkOf({ commandOf, ifUnknown }: OwnCommand): RemoteCommand {
  const argv = typeof ifUnknown === 'object' ? ifUnknown.check : [];
  const { script: _, ...rest } = commandOf(CHECK_ORDINAL);
  return { ...rest, argv };
}

function stateOf({ checkpoint }: ActionContext): State {
  if (checkpoint === null) return { seen: null, tries: 0, check: null };
  const { tries, check, ...seen } = state.parse(checkpoint);
  return { seen, tries, check };
}

/** The failure of a command or a script, by what it is called, with the last of what it wrote. */
export function commandFailed(what: string, end: Exited): Failure {
  const said = end.lastLines === '' ? 'It wrote nothing.' : `Its last lines:\n${end.lastLines}`;
  return {
    code: 'command_failed',
    message: `${what} ended with exit status ${end.code}. ${said}`,
    cause: 'command',
    exitStatus: end.code,
  };
}

/** The release that a command is for, and how the deployment ends if that is known, in its environment. */
export const variablesOf = ({ release, outcome }: For) => ({
  ...(release && {
    EDGE_RELEASE: release.id,
    EDGE_VERSION: release.version,
    EDGE_RELEASE_HASH: release.hash,
  }),
  ...(outcome && { EDGE_OUTCOME: outcome }),
});
type For = Pick<z.infer<z.ZodObject<typeof ownInputs>>, 'release' | 'outcome'>;
