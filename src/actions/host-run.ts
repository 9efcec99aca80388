import { z } from 'zod';
import { argvField } from '../domain/fields.ts';
import { defineAction } from './define.ts';
import { cancelOwn, commandFailed, type OwnCommand, ownInputs, runOwn, variablesOf } from './own-command.ts';

const inputs = z.strictObject({ argv: argvField, ...ownInputs });
const outputs = z.strictObject({ outputBytes: z.int(), droppedBytes: z.int() });

/** Runs a command on a host as a detached task: at most once, whatever dies meanwhile (contract C17). */
export const hostRun = defineAction({
  name: 'host.run',
  major: 2,
  inputs,
  outputs,
  fences: true,
  apply: (context, given) => runOwn(context, ownOf(given)),
  cancel: (context, given) => cancelOwn(context, ownOf(given)),
});

/** Workers of before mask the secrets of `env` alone; plans without files are for them too. */
export const earlierHostRun = { ...hostRun, major: 1 };

/** A command that ran to its end is never tried again under the same id, so its failure is not retryable. */
function ownOf({ host, argv, cwd, sudoUser, mask, ...given }: z.infer<typeof inputs>): OwnCommand {
  const env = { ...given.env, ...variablesOf(given) };
  return {
    commandOf: (ordinal) => ({ host, ordinal, argv, env, mask, cwd, sudoUser }),
    outcomeOf: (end) => {
      const { code, outputBytes, droppedBytes } = end;
      if (code === 0) return { kind: 'done', outputs: { outputBytes, droppedBytes } };
      return { kind: 'failed', error: commandFailed(`\`${argv.join(' ')}\``, end), retryable: false };
    },
    graceMs: given.graceMs,
    ifUnknown: given.ifUnknown,
  };
}
