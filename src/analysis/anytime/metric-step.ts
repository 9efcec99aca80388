import type { Counted } from './counts.ts';
import type { LatencyStep } from './histograms.ts';
import type { PairedStep } from './paired.ts';

/** What was measured of a metric in one step, on both sides. */
export type MetricStep =
  | ({ readonly kind: 'counts' } & Counted)
  | { readonly kind: 'gauge'; readonly pairs: PairedStep }
  | ({ readonly kind: 'latency' } & LatencyStep);
