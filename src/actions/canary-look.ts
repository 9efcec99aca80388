import { type CanaryTime, gridAt } from '../analysis/canary-time.ts';
import { measuredTraffic } from '../analysis/canary-traffic.ts';
import { type MeasuredServers, measuredOf } from '../analysis/measured.ts';
import { BALANCER } from '../domain/analysis.ts';
import { EdgeError } from '../domain/errors.ts';
import type { MetricGrid, MetricsAnswer } from '../domain/metrics.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { ActionContext } from '../ports/action.ts';
import type { CanaryJudgeInputs } from './canary-judge-inputs.ts';
import { distinctOf, keyOf, type Question, questionsOf, saidOf } from './canary-questions.ts';
import type { CanaryTraffic } from './canary-state.ts';
import { lookAtTraffic, type SeenTraffic, stepsIn } from './canary-traffic.ts';

/** Queries at once. */
const AT_ONCE = 4;

export type CanaryLook = {
  /** By metric; those that could not be asked about are left out. */
  readonly measured: ReadonlyMap<string, MeasuredServers>;
  /** By source that has answered something: up to when all of that is complete. */
  readonly completeToMs: ReadonlyMap<string, number>;
  /** By source that has not answered all: why. */
  readonly silent: ReadonlyMap<string, string>;
  /** What balancers have counted up to now, where a metric is that. */
  readonly traffic?: CanaryTraffic;
};

/** To ask again mends none of these. */
const REFUSALS: readonly string[] = [
  ...['metrics_refused', 'metrics_limit', 'secret_unavailable', 'config_invalid', 'config_unreadable'],
  ...['balancer_refused', 'balancer_member_unknown'],
];

/** Why there will be nothing to judge by, in the words of the source; `undefined` for any other fault. */
export const refusalIn = (thrown: unknown): string | undefined =>
  thrown instanceof EdgeError && REFUSALS.includes(thrown.code) ? thrown.message : undefined;

/** `counted`: what balancers have counted before. `isDecided`: nothing is counted any more. */
export type Before = { readonly counted: CanaryTraffic | undefined; readonly isDecided: boolean };

/**
 * Asks all sources anew for all that there is by now, and reads what balancers have counted since. Rejects with what no later look mends (see
 * `refusalIn`), which is worth knowing before there is anything to judge.
 */
export async function lookAt(
  context: ActionContext,
  inputs: CanaryJudgeInputs,
  time: CanaryTime,
  { counted, isDecided }: Before,
): Promise<CanaryLook> {
  const questions = questionsOf(inputs);
  const nowMs = context.ports.clock.now();
  const delayMs = delayOf(inputs);
  const traffic =
    isDecided && counted
      ? { traffic: counted }
      : await lookAtTraffic(context, inputs, { time, nowMs, delayMs }, counted);
  const grid = gridAt(time, nowMs);
  const asked = grid
    ? await answersTo(context, inputs, { questions: distinctOf(questions), grid })
    : { answers: new Map<string, MetricsAnswer>(), silent: new Map<string, string>() };
  const { beganMs, stepMs, before, history } = time;
  const count = grid ? Math.round((grid.toMs - beganMs) / stepMs) + before : 0;
  const points = { count, isLeftOut: (point: number) => point >= history && point < before };
  const measured = new Map<string, MeasuredServers>();
  for (const one of questions) {
    const said = grid && saidOf(one, asked.answers);
    if (said) measured.set(one.metric.name, measuredOf(said, inputs.pairs, points));
  }
  const completeToMs = completeOf(distinctOf(questions), asked.answers);
  const seen = { measured, completeToMs, silent: asked.silent };
  return traffic ? withTraffic(seen, traffic, { inputs, time }) : seen;
}

/** When all sources are believed complete. */
export const delayOf = ({ sources }: CanaryJudgeInputs): number =>
  Math.max(0, ...Object.values(sources).map((source) => source.delayMs));

type Of = { readonly inputs: CanaryJudgeInputs; readonly time: CanaryTime };

/** Counted is what was read: up to the step of the last reading, whenever that was. */
function withTraffic(
  { measured, completeToMs, silent }: CanaryLook,
  { traffic, silent: why }: SeenTraffic,
  { inputs, time }: Of,
): CanaryLook {
  const { pairs, analysis } = inputs;
  const steps = stepsIn(traffic);
  const count = time.before + steps.length;
  const own = measuredTraffic(steps, pairs, { before: time.before, count });
  const metrics = analysis.metrics.filter(({ source }) => source === BALANCER);
  const readToMs = time.beganMs + steps.length * time.stepMs;
  // A source that is silent holds up no other; where there is no other, what was read before is all that there is.
  const isTold = traffic.last !== null && (why === undefined || completeToMs.size === 0);
  return {
    measured: new Map([...measured, ...metrics.map(({ name }) => [name, own] as const)]),
    completeToMs: new Map([...completeToMs, ...(isTold ? [[BALANCER, readToMs] as const] : [])]),
    silent: new Map([...silent, ...(why === undefined ? [] : [[BALANCER, why] as const])]),
    traffic,
  };
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
