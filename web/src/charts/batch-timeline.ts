import type { BatchView, DeploymentView } from '../../../src/api/contract.ts';
import { labelOf } from '../../../src/words/batch-label.ts';
import { doneOf, placeOf } from '../../../src/words/watched.ts';
import type { Lanes } from '../live/lanes.ts';
import { plotSides, type Tick, type Times, timeAxis } from './time-scale.ts';

/** When each batch was worked on, and how far it is; what is to come stands behind, without a time. In pixels. */
export type BatchTimeline = {
  readonly width: number;
  readonly height: number;
  readonly plotLeft: number;
  readonly ticks: readonly Tick[];
  readonly rows: readonly BatchRow[];
  /** This moment, while it goes on. */
  readonly nowX: number | null;
  /** When it mostly has ended, if that is to come. */
  readonly expected: { readonly x: number; readonly lateX: number } | null;
};

export type BatchRow = {
  readonly batch: BatchView;
  readonly label: string;
  readonly y: number;
  /** `null`: it has not begun. */
  readonly bar: { readonly x: number; readonly width: number; readonly doneWidth: number } | null;
  readonly done: string;
};

export const BATCH_HEIGHT = 24;
const HEAD = 20;

export type TimelineInput = {
  readonly view: DeploymentView;
  readonly lanes: Lanes;
  readonly now: number;
  readonly times: Times;
  readonly width: number;
  /** How long from now, at best half of the times and nine of ten times. */
  readonly left: { readonly p50Ms: number; readonly p90Ms: number } | null;
};

export function batchTimelineOf({ view, lanes, now, times, width, left }: TimelineInput): BatchTimeline {
  const { batches, overall } = view;
  const labels = batches.map((batch) => labelOf(batches, batch));
  const [plotLeft, plotRight] = plotSides(width);
  const axis = timeAxis(times, [plotLeft, plotRight]);
  const rows = batches.map((batch, n): BatchRow => {
    const times = lanes.batches.get(placeOf(batch));
    const { counts } = batch;
    const x = times ? axis.x(times.from) : 0;
    const barWidth = times ? Math.max(3, axis.x(times.to ?? overall.endedAt ?? now) - x) : 0;
    const share = counts.total === 0 ? 0 : doneOf(counts) / counts.total;
    return {
      ...{ batch, label: labels[n] ?? '', y: HEAD + n * BATCH_HEIGHT },
      bar: times ? { x, width: barWidth, doneWidth: barWidth * share } : null,
      done: `${doneOf(counts)}/${counts.total}`,
    };
  });
  return {
    ...{ width, height: HEAD + rows.length * BATCH_HEIGHT, plotLeft, ticks: axis.ticks, rows },
    nowX: overall.endedAt === null && overall.startedAt !== null ? axis.x(now) : null,
    expected: left && { x: axis.x(now + left.p50Ms), lateX: axis.x(now + left.p90Ms) },
  };
}
