import type { ScoreThresholds } from '../../domain/kayenta-config.ts';
import { labelOf, type ScoreLabel } from './score.ts';

const MINUTE_MS = 60_000;

/** How long a canary is judged, and when; all in ms. With an `endAt` in the past nobody waits, and the delay is not looked at. */
export type Times = {
  readonly startAt: number;
  readonly endAt?: number;
  readonly lifetimeMs?: number;
  readonly intervalMs?: number;
  readonly delayMs?: number;
  /** Left out or 0: each judgement looks back to the start. */
  readonly lookbackMs?: number;
};

/** What one judgement looks at. */
export type Window = { readonly from: number; readonly to: number };

/**
 * The judgements of a canary, in order (CANARY.md section 1.5). What is left of the lifetime after the last whole interval is never
 * judged. Throws `RangeError` if neither an end nor a lifetime is given.
 */
export function windowsOf(times: Times): readonly Window[] {
  const { startAt, endAt, lookbackMs = 0 } = times;
  const lifetimeMs = endAt === undefined ? times.lifetimeMs : endAt - startAt;
  if (lifetimeMs === undefined) throw new RangeError('a canary needs an end or a lifetime');
  const { intervalMs = 0 } = times;
  const interval = intervalMs === 0 || intervalMs > lifetimeMs ? lifetimeMs : intervalMs;
  const [lifetimeMinutes, minutes] = [lifetimeMs, interval].map((ms) => Math.floor(ms / MINUTE_MS));
  const count = minutes ? Math.floor((lifetimeMinutes ?? 0) / minutes) : 0;
  const from = startAt + (endAt === undefined ? (times.delayMs ?? 0) : 0);
  return Array.from({ length: count }, (_, index) => {
    const to = from + (index + 1) * interval;
    return { from: lookbackMs > 0 ? to - lookbackMs : from, to };
  });
}

export type Ended = { readonly passed: boolean; readonly label: ScoreLabel };

/**
 * How a canary ends with this score, or `null` if it goes on. A score that is no better than `marginal` ends it at any judgement, though
 * one that equals it is labelled Marginal (defect 15); of the last one alone more is asked.
 */
export function endOf(score: number, isLast: boolean, thresholds: ScoreThresholds): Ended | null {
  const { pass, marginal } = thresholds;
  const label = labelOf(score, thresholds);
  if (marginal !== undefined && score <= marginal) return { passed: false, label };
  if (!isLast) return null;
  return { passed: pass === undefined || score >= pass, label };
}
