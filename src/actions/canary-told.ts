import { z } from 'zod';
import type { Judgement, MetricReport } from '../analysis/anytime/judgement.ts';
import type { Effect } from '../analysis/anytime/metric-test.ts';
import type { CanaryTime } from '../analysis/canary-time.ts';
import type { Judged } from '../analysis/judged.ts';
import { serversOf } from '../analysis/servers.ts';
import type { FailureCode } from '../domain/errors.ts';
import type { FailureCause, Outcome } from '../domain/outcome.ts';
import { listOf } from '../lib/list-of.ts';
import type { CanaryJudgeInputs } from './canary-judge-inputs.ts';

const effect = z.strictObject({
  ratio: z.number().nullable(),
  least: z.number().nullable(),
  most: z.number().nullable(),
});

/**
 * What was decided. `at`, `from` and `since` are ms since the epoch: when it was, when the canary was first judged, when harm began. `stepMs`: with
 * `from` what `edge judge` has to know. `metrics`: the weightiest first, as many as there is room for. An end of an effect that is not known is `null`.
 */
export const canaryVerdict = z.strictObject({
  verdict: z.enum(['pass', 'fail', 'unsure', 'no data']),
  reason: z.string(),
  at: z.number(),
  from: z.number(),
  stepMs: z.number(),
  steps: z.number(),
  metrics: z.array(
    z.strictObject({
      name: z.string(),
      state: z.enum(['worse', 'uneven', 'suspicious', 'open', 'clear', 'no data', 'no history']),
      p: z.number(),
      effect: effect.nullable(),
      since: z.number().nullable(),
    }),
  ),
});
export type CanaryVerdict = z.infer<typeof canaryVerdict>;
type ToldMetric = CanaryVerdict['metrics'][number];

/** Of the metrics that are told; what is told of all is kept with each task, and read by people. */
const MOST_BYTES = 6_000;
const MOST_REASON = 1_500;

/** The states in the order in which they matter to who asks why. */
const WEIGHTIEST: readonly MetricReport['state'][] = [
  ...(['worse', 'uneven', 'suspicious', 'no data', 'no history', 'open', 'clear'] as const),
];

/** Metrics by how much they had to do with the verdict. */
export const weightiestFirst = ({ metrics }: Judgement): readonly MetricReport[] =>
  metrics.toSorted((a, b) => WEIGHTIEST.indexOf(a.state) - WEIGHTIEST.indexOf(b.state));

/** `judged`: with a verdict. */
export function verdictOf({ judgement, effects }: Judged, time: CanaryTime): CanaryVerdict {
  const { verdict, reason, step } = judgement;
  if (verdict === 'undecided') throw new Error('nothing was decided');
  const at = (steps: number) => time.beganMs + steps * time.stepMs;
  const metrics = weightiestFirst(judgement).map(({ name, state, p, since }) => ({
    ...{ name, state, p: rounded(p) ?? 1, effect: told(effects[name] ?? null) },
    since: since === null ? null : at(since),
  }));
  return { ...verdictWithout(verdict, reason, time), at: at(step), steps: step, metrics: fitting(metrics) };
}

/** A verdict on nothing that was measured. */
export const noDataBecause = (reason: string, time: CanaryTime, nowMs: number): CanaryVerdict => ({
  ...verdictWithout('no data', reason, time),
  ...{ at: nowMs, steps: 0, metrics: [] },
});

const verdictWithout = (verdict: CanaryVerdict['verdict'], reason: string, time: CanaryTime) => ({
  ...{ verdict, reason: cutTo(reason, MOST_REASON), from: time.beganMs, stepMs: time.stepMs },
});

const cutTo = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most)}… (cut)` : text;

function fitting(metrics: readonly ToldMetric[]): ToldMetric[] {
  let bytes = 0;
  return metrics.filter((metric) => {
    bytes += JSON.stringify(metric).length + 1;
    return bytes <= MOST_BYTES;
  });
}

const told = (effect: Effect | null): ToldMetric['effect'] =>
  effect && { ratio: rounded(effect.ratio), least: rounded(effect.least), most: rounded(effect.most) };

const rounded = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(4)) : null;

const FAILURES = {
  fail: ['canary_failed', 'canary'],
  unsure: ['canary_unsure', 'unsure'],
  'no data': ['canary_no_data', 'no-data'],
} as const satisfies Readonly<Record<string, readonly [FailureCode, FailureCause]>>;

/** What follows for the task: what a team lets pass is done. */
export function outcomeOf(decided: CanaryVerdict, inputs: CanaryJudgeInputs): Outcome {
  const { verdict, reason, ...evidence } = decided;
  if (verdict === 'pass' || inputs.goOn.some((one) => one === verdict))
    return { kind: 'done', outputs: decided };
  const [code, cause] = FAILURES[verdict];
  const message = `${reason} ${comparedIn(inputs, decided)}`;
  const error = { code, cause, message, evidence: { verdict, ...evidence } };
  return { kind: 'failed', error, retryable: false };
}

function comparedIn({ pairs }: CanaryJudgeInputs, { from }: CanaryVerdict): string {
  const names = (side: 'canary' | 'baseline') => listOf(serversOf(pairs, side).map(({ name }) => name));
  const start = new Date(from).toISOString().replace('.000Z', 'Z');
  return `The canary is ${names('canary')}, compared with ${names('baseline')} from ${start} on.`;
}
