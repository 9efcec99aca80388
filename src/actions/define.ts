import { z } from 'zod';
import { asEdgeError, CATALOGUE, type ErrorCode } from '../domain/errors.ts';
import { type FailureCause, OUTCOME_LIMIT_BYTES, type Outcome } from '../domain/outcome.ts';
import type { Json, JsonObject } from '../lib/json.ts';
import type { Action, ActionHandler, ActionPorts, Schema, TaskRun } from '../ports/action.ts';

/** Any JSON object; its fields are for whoever made it. */
export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** Names the types of an action once, from its schemas. */
export function defineAction<Inputs>(action: Action<Inputs>): Action<Inputs> {
  return action;
}

export const capabilityOf = (action: { readonly name: string; readonly major: number }): string =>
  `${action.name}@${action.major}`;

/** The action with its ports, as the worker sees it: inputs parsed, outputs checked, rejections put into words. */
export function bindAction<Inputs>(action: Action<Inputs>, ports: ActionPorts): ActionHandler {
  return {
    capability: capabilityOf(action),
    fences: action.fences,
    async apply(run) {
      const inputs = parseInputs(action.inputs, run);
      if (!inputs.ok) return inputs.outcome;
      try {
        return checked(action, await action.apply({ ...run, ports }, inputs.value));
      } catch (thrown) {
        if (run.signal.aborted) throw thrown;
        return outcomeOfError(thrown);
      }
    },
    async cancel(run) {
      const inputs = parseInputs(action.inputs, run);
      if (!inputs.ok || !action.cancel) return { gone: true };
      return action.cancel({ ...run, ports }, inputs.value);
    },
  };
}

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly outcome: Outcome };

function parseInputs<T>(schema: Schema<T>, run: TaskRun): Parsed<T> {
  try {
    return { ok: true, value: schema.parse(run.inputs) };
  } catch (thrown) {
    return {
      ok: false,
      outcome: brokenContract(`The inputs of the step ${run.step}: ${wordsOf(thrown)}`),
    };
  }
}

function checked(action: Action, outcome: Outcome): Outcome {
  if (outcome.kind === 'wait') return withinLimit('checkpoint', outcome.checkpoint) ?? outcome;
  if (outcome.kind === 'failed') return withinLimit('evidence', outcome.error.evidence ?? {}) ?? outcome;
  if (outcome.kind !== 'done') return outcome;
  const tooLarge = withinLimit('outputs', outcome.outputs);
  if (tooLarge) return tooLarge;
  try {
    return { kind: 'done', outputs: action.outputs.parse(outcome.outputs) };
  } catch (thrown) {
    return brokenContract(`The outputs of ${capabilityOf(action)}: ${wordsOf(thrown)}`);
  }
}

function withinLimit(what: string, value: Json): Outcome | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes <= OUTCOME_LIMIT_BYTES) return undefined;
  return brokenContract(`The ${what} has ${bytes} bytes; at most ${OUTCOME_LIMIT_BYTES} are allowed`);
}

/** Plan and action, or action and worker, do not fit together: a fault of Edge's own, and no second try mends it. */
function brokenContract(message: string): Outcome {
  return { kind: 'failed', error: { code: 'internal', message }, retryable: false };
}

/**
 * What a rejection of an action means. Errors of the catalogue say what happened; anything else broke the action half-way,
 * and what it had begun is not known.
 */
export function outcomeOfError(thrown: unknown): Outcome {
  const error = asEdgeError(thrown);
  if (error.code === 'internal') return { kind: 'unknown', seen: `The action broke: ${error.message}` };
  const cause = causeOf(error.code);
  return {
    kind: 'failed',
    error: {
      code: error.code,
      message: `${error.message.replace(/\.$/, '')}. ${error.body.hint}`,
      ...(cause && { cause }),
    },
    retryable: CATALOGUE[error.code].retryable,
  };
}

function causeOf(code: ErrorCode): FailureCause | undefined {
  if (code.startsWith('balancer_')) return 'balancer';
  if (code.startsWith('host_') && code !== 'host_unfit') return 'unreachable';
  if (code.startsWith('artifact_')) return 'artifact';
  return undefined;
}

function wordsOf(thrown: unknown): string {
  if (thrown instanceof z.ZodError) return z.prettifyError(thrown).replaceAll('\n', '; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}
