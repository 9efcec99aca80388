import { type MetricGrid, MOST_POINTS } from '../domain/metrics.ts';

/**
 * The steps of a canary: `before` it is judged, and `most` from then on. Of those before, the first `history` are from before its servers
 * began to change; in the others nothing can be compared. The value of a step is that of the point at its end, which looks back.
 */
export type CanaryTime = {
  readonly beganMs: number;
  readonly stepMs: number;
  readonly before: number;
  readonly history: number;
  readonly most: number;
};

type Lengths = { readonly stepMs: number; readonly historyMs: number; readonly mostMs: number };

/**
 * `sinceMs`: when its servers began to change; `null`: nobody knows, so nothing counts as history. There is as much of that as a source
 * gives at once.
 */
export function canaryTimeOf(
  { stepMs, historyMs, mostMs }: Lengths,
  { beganMs, sinceMs }: { readonly beganMs: number; readonly sinceMs: number | null },
): CanaryTime {
  const most = Math.max(1, Math.floor(mostMs / stepMs));
  const none = { beganMs, stepMs, most, before: 0, history: 0 };
  if (sinceMs === null) return none;
  const changing = Math.max(0, Math.ceil((beganMs - sinceMs) / stepMs));
  const history = Math.min(Math.floor(historyMs / stepMs), MOST_POINTS - most - changing);
  return history > 0 ? { ...none, before: history + changing, history } : none;
}

/** The points that lie in the past; `undefined` where none does. */
export function gridAt({ beganMs, stepMs, before, most }: CanaryTime, nowMs: number): MetricGrid | undefined {
  const fromMs = beganMs - (before - 1) * stepMs;
  const toMs = beganMs + Math.min(most, Math.floor((nowMs - beganMs) / stepMs)) * stepMs;
  return toMs < fromMs ? undefined : { fromMs, toMs, stepMs };
}

/** How many steps of the canary are complete; below 0 where not even those before it are. */
export const stepsUntil = ({ beganMs, stepMs, most }: CanaryTime, completeToMs: number): number =>
  Math.min(most, Math.floor((completeToMs - beganMs) / stepMs));

/** When the step with this number begins, counted from the first one of all. */
export const startOf = ({ beganMs, stepMs, before }: CanaryTime, step: number): number =>
  beganMs + (step - before) * stepMs;

/**
 * How long it takes until the next step of the canary is complete, of what is known `delayMs` later. `first`: after how many steps there is
 * something to see; 0 where the moment matters in which the first begins.
 */
export function untilNextStep(
  { beganMs, stepMs }: CanaryTime,
  nowMs: number,
  { delayMs, first = 1 }: { readonly delayMs: number; readonly first?: 0 | 1 },
): number {
  const next = Math.max(first, Math.floor((nowMs - delayMs - beganMs) / stepMs) + 1);
  return beganMs + next * stepMs + delayMs - nowMs;
}
