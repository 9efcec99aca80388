import type { Verdict } from '../analysis/anytime/judgement.ts';
import { type CanaryTime, canaryTimeOf, stepsUntil, untilNextStep } from '../analysis/canary-time.ts';
import { type Judged, judgedOf } from '../analysis/judged.ts';
import { BALANCER } from '../domain/analysis.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ActionContext } from '../ports/action.ts';
import { type Evidence, evidenceAgain, evidenceOf, NO_EVIDENCE, writeEvidence } from './canary-evidence.ts';
import { type CanaryJudgeInputs, canaryJudgeInputs } from './canary-judge-inputs.ts';
import { type CanaryLook, delayOf, lookAt, refusalIn } from './canary-look.ts';
import { type CanaryState, canaryState, type Decided, type Heard } from './canary-state.ts';
import { type CanaryVerdict, canaryVerdict, noDataBecause, outcomeOf, verdictOf } from './canary-told.ts';
import { defineAction } from './define.ts';

/**
 * Compares the servers of a canary with others that are as before, after each step, and ends with the first verdict (docs/decisions/0031). Each
 * look asks for everything anew and judges from the beginning: what came late counts, and a takeover has nothing to make good. What balancers
 * count has no history, and goes from look to look in the checkpoint. In between the wait is the board's, and holds no worker. What it decided on is its output, in the form that `edge judge` reads.
 */
export const canaryJudge = defineAction<CanaryJudgeInputs>({
  name: 'canary.judge',
  major: 1,
  inputs: canaryJudgeInputs,
  outputs: canaryVerdict,
  fences: true,
  async apply(context, inputs) {
    const state = canaryState.nullable().parse(context.checkpoint) ?? begun(context, inputs);
    const time = canaryTimeOf(inputs.analysis, { beganMs: state.beganMs, sinceMs: inputs.since });
    const place = { context, inputs, time };
    return state.decided ? told(place, state, state.decided) : look(place, state);
  },
});

type Place = {
  readonly context: ActionContext;
  readonly inputs: CanaryJudgeInputs;
  readonly time: CanaryTime;
};

/**
 * The end of the warm-up is noted once, so that no takeover prolongs it. A worker whose clock is slow would look at what was before the canary
 * changed, and pass it.
 */
function begun(context: ActionContext, { analysis, until }: CanaryJudgeInputs): CanaryState {
  const nowMs = Math.max(context.ports.clock.now(), until ?? 0);
  const beganMs = Math.ceil((nowMs + analysis.warmUpMs) / 1_000) * 1_000;
  return { beganMs, sources: {}, decided: null };
}

async function look(place: Place, before: CanaryState): Promise<Outcome> {
  const { context, inputs, time } = place;
  const seen = await seenIn(place, before);
  const now = context.ports.clock.now();
  if (typeof seen === 'string')
    return decide(place, before, { verdict: noDataBecause(seen, time, now), ...NO_EVIDENCE });
  const { traffic } = seen;
  const state = { ...before, sources: heardAfter(place, before, seen), ...(traffic && { traffic }) };
  const { judged, isDecided } = judgementOf(place, seen);
  if (isDecided)
    return decide(place, state, { verdict: verdictOf(judged, time), ...evidenceOf(place, seen, judged) });
  const lost = lostSource(place, state, seen);
  if (lost !== undefined) {
    const verdict = { ...noDataBecause(lost, time, now), steps: judged.judgement.step };
    return decide(place, state, { verdict, ...evidenceOf(place, seen, judged) });
  }
  const first = traffic && !traffic.last ? 0 : 1;
  const nextMs = untilNextStep(time, context.ports.clock.now(), { delayMs: delayOf(inputs), first });
  const wakeAfterMs = Math.max(1, nextMs);
  return { kind: 'wait', checkpoint: state, wakeAfterMs, progress: progressOf(place, seen, judged) };
}

/** Or why nothing will ever be seen. */
async function seenIn({ context, inputs, time }: Place, state: CanaryState): Promise<CanaryLook | string> {
  const before = { counted: state.traffic, isDecided: state.decided !== null };
  try {
    return await lookAt(context, inputs, time, before);
  } catch (thrown) {
    const refusal = refusalIn(thrown);
    if (refusal === undefined) throw thrown;
    return `There is nothing to judge by: ${refusal.replace(/\.$/, '')}.`;
  }
}

/** It is decided once: whoever takes over tells the same. Nothing is counted any more. */
async function decide(
  { context, inputs }: Place,
  before: CanaryState,
  { verdict, metrics, lines }: Evidence & { readonly verdict: CanaryVerdict },
): Promise<Outcome> {
  const decided = { verdict, metrics: [...metrics], lines: lines.length, written: 0 };
  const { traffic } = before;
  const state = { ...before, ...(traffic && { traffic: { ...traffic, last: null } }), decided };
  await context.saveCheckpoint(state);
  await writeEvidence(context, state, lines);
  return outcomeOf(verdict, inputs);
}

/** What an earlier attempt has decided, and may not have written to the end. A source that is gone since leaves the rest out. */
async function told(place: Place, before: CanaryState, decided: Decided): Promise<Outcome> {
  if (decided.written < decided.lines) {
    const seen = await seenIn(place, { ...before, decided });
    if (typeof seen !== 'string' && seen.silent.size === 0)
      await writeEvidence(place.context, { ...before, decided }, evidenceAgain(place, seen, decided));
  }
  return outcomeOf(decided.verdict, place.inputs);
}

/** While a source is silent only harm that others show is a verdict. */
function judgementOf({ inputs, time }: Place, { measured, completeToMs, silent }: CanaryLook) {
  const steps = completeToMs.size === 0 ? -1 : stepsUntil(time, Math.min(...completeToMs.values()));
  const isWanted = (verdict: Verdict) => verdict === 'fail' || (verdict !== 'undecided' && silent.size === 0);
  const { analysis, pairs } = inputs;
  const judged = judgedOf({ analysis, pairs, time, measured }, Math.max(0, steps), isWanted);
  return { judged, isDecided: steps >= 0 && isWanted(judged.judgement.verdict) };
}

function heardAfter(
  { context, inputs }: Place,
  { sources }: CanaryState,
  { completeToMs, silent }: CanaryLook,
): Readonly<Record<string, Heard>> {
  const after = (name: string): Heard => {
    const toMs = completeToMs.get(name);
    const before = sources[name] ?? { toMs: toMs ?? context.ports.clock.now(), misses: 0 };
    if (silent.has(name)) return { ...before, misses: before.misses + 1 };
    if (toMs === undefined || !sources[name]) return before;
    return toMs > before.toMs ? { toMs, misses: 0 } : { ...before, misses: before.misses + 1 };
  };
  return Object.fromEntries(usedSources(inputs).map((name) => [name, after(name)]));
}

const usedSources = ({ analysis }: CanaryJudgeInputs): readonly string[] => [
  ...new Set(analysis.metrics.map(({ source }) => source)),
];

/** Why it is not waited for any longer. */
function lostSource({ inputs }: Place, { sources }: CanaryState, { silent }: CanaryLook): string | undefined {
  const found = Object.entries(sources).find(([, { misses }]) => misses >= inputs.analysis.staleSteps);
  if (!found) return undefined;
  const [name, { toMs }] = found;
  const why = silent.get(name) ?? 'what it has does not go on';
  return `${name === BALANCER ? 'The balancer' : `The source ${name}`} says nothing of what was after ${new Date(toMs).toISOString()}: ${why.replace(/\.$/, '')}.`;
}

function progressOf({ time }: Place, { silent }: CanaryLook, { judgement }: Judged): string {
  const [missing] = silent;
  if (missing) return `waits for the ${missing[0] === BALANCER ? '' : 'source '}${missing[0]}: ${missing[1]}`;
  if (judgement.step === 0) return `is judged from ${new Date(time.beganMs).toISOString()} on`;
  return `step ${judgement.step} of ${time.most}: ${judgement.reason.replace(/\.$/, '')}`;
}
