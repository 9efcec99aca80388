import { z } from 'zod';
import { argvField, envField } from '../domain/fields.ts';
import type { Failure, Outcome } from '../domain/outcome.ts';
import type { ActionContext } from '../ports/action.ts';
import { defineAction } from './define.ts';
import {
  type CommandEnd,
  cancelCommand,
  dispatched,
  type RemoteCommand,
  runCommand,
} from './remote-command.ts';
import { hostAddress, plannedRelease } from './schemas.ts';

/**
 * `graceMs`: how long an aborted command has between TERM and KILL. A `release` is named in the command's environment:
 * EDGE_RELEASE, EDGE_VERSION, EDGE_RELEASE_HASH.
 */
export const hostRunInputs = z.strictObject({
  host: hostAddress,
  argv: argvField,
  env: envField.default({}),
  cwd: z.string().optional(),
  sudoUser: z.string().optional(),
  graceMs: z.int().min(0).default(10_000),
  release: plannedRelease.nullable().optional(),
});
type Inputs = z.infer<typeof hostRunInputs>;

const outputs = z.strictObject({ outputBytes: z.number(), droppedBytes: z.number() });

/** Runs a command on a host as a detached task: at most once, whatever dies meanwhile (contract C17). */
export const hostRun = defineAction({
  name: 'host.run',
  major: 1,
  inputs: hostRunInputs,
  outputs,
  fences: true,
  async apply(context, inputs) {
    const end = await runCommand(context, commandOf(inputs), {
      dispatched: dispatchedOf(context),
      checkpoint: (state) => state,
    });
    return outcomeOf(end, inputs);
  },
  cancel(context, inputs) {
    const options = { wasDispatched: dispatchedOf(context) !== null, graceMs: inputs.graceMs };
    return cancelCommand(context, commandOf(inputs), options);
  },
});

function commandOf(inputs: Inputs): RemoteCommand {
  const { host, argv, cwd, sudoUser, release } = inputs;
  const env = release ? { ...inputs.env, ...variablesOf(release) } : inputs.env;
  return { host, ordinal: 0, argv, env, cwd, sudoUser };
}

const variablesOf = ({ id, version, hash }: z.infer<typeof plannedRelease>) => ({
  EDGE_RELEASE: id,
  EDGE_VERSION: version,
  EDGE_RELEASE_HASH: hash,
});

function dispatchedOf(context: ActionContext): z.infer<typeof dispatched> | null {
  return dispatched.nullable().parse(context.checkpoint);
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
  };
}
