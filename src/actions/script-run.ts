import { z } from 'zod';
import { OUTCOME_LIMIT_BYTES, type Outcome } from '../domain/outcome.ts';
import { interpreterField, valueNameField } from '../domain/script.ts';
import { type ReadOutputs, readOutputs } from '../domain/script-outputs.ts';
import { type TypedValue, type ValueType, valueFault, valueTypeSchema } from '../domain/typed-value.ts';
import { sha256 } from '../lib/hash.ts';
import type { ActionContext } from '../ports/action.ts';
import { defineAction } from './define.ts';
import {
  cancelOwn,
  commandFailed,
  type Exited,
  type OwnCommand,
  ownInputs,
  runOwn,
  variablesOf,
} from './own-command.ts';

const value = z.union([z.string(), z.int(), z.boolean()]);
const types = z.record(valueNameField, valueTypeSchema);

/** `sha256` is that of `content`, as it was planned. `types`: of the parameters. `outputs`: of what it has to give. */
export const scriptRunInputs = z.strictObject({
  ...ownInputs,
  script: z.strictObject({
    name: z.string().min(1),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    interpreter: interpreterField,
    types,
    outputs: types,
  }),
  content: z.string(),
  parameters: z.record(valueNameField, value),
});
type Inputs = z.infer<typeof scriptRunInputs>;

/**
 * Runs a script on a host as a detached task: at most once, whatever dies meanwhile (contract C17), and only with the SHA-256 of
 * the plan. Its parameters are EDGE_PARAM_<NAME> in its environment, never words of a command line.
 */
export const scriptRun = defineAction({
  name: 'script.run',
  major: 1,
  inputs: scriptRunInputs,
  outputs: z.record(valueNameField, value),
  fences: true,
  apply: async (context, given) => refused(given) ?? runOwn(context, ownOf(context, given)),
  cancel: (context, given) => cancelOwn(context, ownOf(context, given)),
});

/** What can be told before anything is sent. A value may have come from another script. */
function refused({ script, content, parameters }: Inputs): Outcome | undefined {
  if (sha256(content) !== script.sha256)
    return failed(
      'script_changed',
      `The script ${script.name} does not have the SHA-256 of the plan; nothing of it was started.`,
    );
  const wrong = [...parametersOf(script.types, parameters)].find(({ fault }) => fault !== undefined);
  return (
    wrong &&
    failed(
      'script_value',
      `The parameter ${wrong.name} of the script ${script.name} is not ${wrong.fault}; nothing of it was started.`,
    )
  );
}

function* parametersOf(all: Readonly<Record<string, ValueType>>, given: Inputs['parameters']) {
  const values = new Map(Object.entries(given));
  for (const [name, type] of Object.entries(all)) yield { name, fault: valueFault(type, values.get(name)) };
  for (const name of values.keys()) if (!Object.hasOwn(all, name)) yield { name, fault: 'declared' };
}

function ownOf({ deployment, target, step }: ActionContext, given: Inputs): OwnCommand {
  const { host, script, content, cwd, sudoUser, mask, graceMs, ifUnknown } = given;
  const env = {
    ...given.env,
    ...variablesOf(given),
    ...{ EDGE_DEPLOYMENT: deployment, EDGE_TARGET: target, EDGE_STEP: step },
    ...Object.fromEntries(Object.entries(given.parameters).map(variable)),
  };
  const sent = { content, sha256: script.sha256, outputsLimitBytes: OUTCOME_LIMIT_BYTES };
  const argv = script.interpreter;
  return {
    commandOf: (ordinal) => ({ host, ordinal, argv, env, mask, cwd, sudoUser, script: sent }),
    outcomeOf: (end) => outcomeOf(end, script),
    graceMs,
    ifUnknown,
  };
}

const variable = ([name, of]: readonly [string, TypedValue]) =>
  [`EDGE_PARAM_${name.toUpperCase()}`, String(of)] as const;

/** It has run, so it is not run again for what it gave. */
function outcomeOf(end: Exited, { name, outputs: declared }: Inputs['script']): Outcome {
  if (end.code !== 0)
    return { kind: 'failed', error: commandFailed(`The script ${name}`, end), retryable: false };
  const read = outputsOf(end.outputs, declared);
  if (read.ok) return { kind: 'done', outputs: read.outputs };
  return failed('script_value', `The script ${name} ended, but ${read.message}.`);
}

function outputsOf(text: string | undefined, declared: Inputs['script']['outputs']): ReadOutputs {
  if (text === undefined && Object.keys(declared).length > 0) return wrong(UNTOLD);
  if (Buffer.byteLength(text ?? '') > OUTCOME_LIMIT_BYTES) return wrong(TOO_LONG);
  const read = readOutputs(text ?? '', declared);
  const isLong = read.ok && Buffer.byteLength(JSON.stringify(read.outputs)) > OUTCOME_LIMIT_BYTES;
  return isLong ? wrong(TOO_LONG) : read;
}

const UNTOLD = 'its outputs may hold a secret that this worker cannot look up';
const TOO_LONG = `its outputs have more than ${OUTCOME_LIMIT_BYTES} bytes`;
const wrong = (message: string): ReadOutputs => ({ ok: false, message });

const failed = (code: 'script_changed' | 'script_value', message: string): Outcome => ({
  kind: 'failed',
  error: { code, message, cause: 'command' },
  retryable: false,
});
