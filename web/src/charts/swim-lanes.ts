import type { DeploymentView, TargetView } from '../../../src/api/contract.ts';
import { placeOf } from '../../../src/words/watched.ts';
import type { Lanes, Span } from '../live/lanes.ts';
import { plotSides, type Tick, type TimeAxis, type Times, timeAxis } from './time-scale.ts';

/** A lane for each target, with its steps as bars over time; in pixels. */
export type SwimLanes = {
  readonly width: number;
  readonly height: number;
  readonly plotLeft: number;
  readonly ticks: readonly Tick[];
  readonly rows: readonly LaneRow[];
};

export type LaneRow = { readonly target: TargetView; readonly y: number; readonly bars: readonly Bar[] };

export type Bar = {
  readonly x: number;
  readonly width: number;
  readonly step: string;
  /** Which of its sequence, from 0: bars that follow each other differ. */
  readonly order: number;
  readonly outcome: Span['outcome'];
  readonly attempt: number;
  readonly fromMs: number;
  readonly toMs: number | null;
  /** Whether the name of the step fits into it. */
  readonly isNamed: boolean;
};

export const LANE_HEIGHT = 22;
const HEAD = 20;
const LETTER = 6.2;
const NARROWEST = 1.5;

export type LanesInput = {
  readonly view: DeploymentView;
  readonly lanes: Lanes;
  readonly now: number;
  readonly times: Times;
  readonly width: number;
  /** Only these rows, of those that have begun: `from` counts from 0. */
  readonly window: { readonly from: number; readonly count: number };
};

export const hasBegun = (lanes: Lanes, { index }: TargetView): boolean =>
  (lanes.spans[index]?.length ?? 0) > 0;

/** Only the rows that are looked at are made: their number is what it costs. */
export function swimLanesOf({ view, lanes, now, times, width, window }: LanesInput): SwimLanes {
  const begun = view.targets.filter((target) => hasBegun(lanes, target));
  const shown = begun.slice(window.from, window.from + window.count);
  const [plotLeft, plotRight] = plotSides(width);
  const axis = timeAxis(times, [plotLeft, plotRight]);
  const sequences = new Map(view.batches.map((batch) => [placeOf(batch), batch.sequence]));
  const rows = shown.map((target, n) => {
    const steps = view.sequences[sequences.get(placeOf(target)) ?? ''] ?? [];
    const spans = lanes.spans[target.index] ?? [];
    const bars = spans.map((span) => barOf(span, { steps, axis, now: endOf(view, now) }));
    return { target, y: HEAD + n * LANE_HEIGHT, bars };
  });
  return { width, height: HEAD + shown.length * LANE_HEIGHT, plotLeft, ticks: axis.ticks, rows };
}

function barOf(
  { step, from, to, outcome, attempt }: Span,
  { steps, axis, now }: { readonly steps: readonly string[]; readonly axis: TimeAxis; readonly now: number },
): Bar {
  const x = axis.x(from);
  const width = Math.max(NARROWEST, axis.x(to ?? now) - x);
  const name = steps[step] ?? `step ${step}`;
  const isNamed = width > name.length * LETTER + 8;
  return { x, width, step: name, order: step, outcome, attempt, fromMs: from, toMs: to, isNamed };
}

const endOf = ({ overall }: DeploymentView, now: number): number => overall.endedAt ?? now;

/** From its start to its end, or to when it mostly has ended: `leftMs` from now, if that is known. */
export function timesOf({ view, lanes, now, leftMs }: TimesInput): Times {
  const first = lanes.spans.reduce((least, spans) => Math.min(least, spans?.[0]?.from ?? least), Infinity);
  const from = Math.min(view.overall.startedAt ?? now, first);
  return { from, to: Math.max(endOf(view, now) + leftMs, from) };
}

export type TimesInput = Pick<LanesInput, 'view' | 'lanes' | 'now'> & { readonly leftMs: number };
