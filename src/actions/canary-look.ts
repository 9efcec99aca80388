import { type CanaryTime, gridAt } from '../analysis/canary-time.ts';
import { type MeasuredServers, measuredOf } from '../analysis/measured.ts';
import { EdgeError } from '../domain/errors.ts';
import type { MetricGrid, MetricsAnswer } from '../domain/metrics.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { ActionContext } from '../ports/action.ts';
import type { CanaryJudgeInputs } from './canary-judge-inputs.ts';
import { distinctOf, keyOf, type Question, questionsOf, saidOf } from './canary-questions.ts';

/** Queries at once. */
const AT_ONCE = 4;

export type CanaryLook = {
  /** By metric; those that could not be asked about are left out. */
  readonly measured: ReadonlyMap<string, MeasuredServers>;
  /** By source that has answered something: up to when all of that is complete. */
  readonly completeToMs: ReadonlyMap<string, number>;
  /** By source that has not answered all: why. */
  readonly silent: ReadonlyMap<string, string>;
};

/** To ask again mends none of these. */
const REFUSALS: readonly string[] = [
  ...['metrics_refused', 'metrics_limit', 'secret_unavailable', 'config_invalid', 'config_unreadable'],
];

/** Why there will be nothing to judge by, in the words of the source; `undefined` for any other fault. */
export const refusalIn = (thrown: unknown): string | undefined =>
  thrown instanceof EdgeError && REFUSALS.includes(thrown.code) ? thrown.message : undefined;

/**
 * Asks all sources anew for all that there is by now. Rejects with what no later look mends (see `refusalIn`), which is worth knowing before
 * there is anything to judge.
 */
export async function lookAt(
  context: ActionContext,
  inputs: CanaryJudgeInputs,
  time: CanaryTime,
): Promise<CanaryLook> {
  const questions = questionsOf(inputs);
  const grid = gridAt(time, context.ports.clock.now());
  if (!grid) return { measured: new Map(), completeToMs: new Map(), silent: new Map() };
  const { answers, silent } = await answersTo(context, inputs, { questions: distinctOf(questions), grid });
  const { beganMs, stepMs, before, history } = time;
  const count = Math.round((grid.toMs - beganMs) / stepMs) + before;
  const points = { count, isLeftOut: (point: number) => point >= history && point < before };
  const measured = new Map<string, MeasuredServers>();
  for (const one of questions) {
    const said = saidOf(one, answers);
    if (said) measured.set(one.metric.name, measuredOf(said, inputs.pairs, points));
  }
  return { measured, silent, completeToMs: completeOf(distinctOf(questions), answers) };
}

type Asking = { readonly questions: readonly Question[]; readonly grid: MetricGrid };
type Answers = Map<string, MetricsAnswer>;

/** A source that has said nothing at all is asked no further. */
async function answersTo(context: ActionContext, inputs: CanaryJudgeInputs, { questions, grid }: Asking) {
  const answers: Answers = new Map();
  const answered = new Set<string>();
  const silent = new Map<string, string>();
  await forEachLimited(questions, AT_ONCE, async (question) => {
    const { source, text } = question;
    const config = inputs.sources[source];
    if (!config || (silent.has(source) && !answered.has(source))) return;
    try {
      const metrics = await context.ports.metrics(config);
      answers.set(keyOf(question), await metrics.query({ ...grid, text }, context.signal));
      answered.add(source);
    } catch (thrown) {
      context.signal.throwIfAborted();
      silent.set(source, silenceIn(thrown, question));
    }
  });
  return { answers, silent };
}

/** Throws what is no silence. */
function silenceIn(thrown: unknown, { metric }: Question): string {
  if (!(thrown instanceof EdgeError)) throw thrown;
  if (thrown.code === 'metrics_unreachable') return thrown.message;
  throw new EdgeError(thrown.code, `${metric}: ${thrown.message}`, { cause: thrown });
}

function completeOf(questions: readonly Question[], answers: Answers): ReadonlyMap<string, number> {
  const complete = new Map<string, number>();
  for (const question of questions) {
    const { source } = question;
    const toMs = answers.get(keyOf(question))?.completeToMs;
    if (toMs === undefined) continue;
    complete.set(source, Math.min(complete.get(source) ?? toMs, toMs));
  }
  return complete;
}
