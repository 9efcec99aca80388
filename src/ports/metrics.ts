import type { MetricsAnswer, MetricsQuery } from '../domain/metrics.ts';

/** Where metrics are measured, outside of Edge. It is asked and never changed. */
export interface MetricsSource {
  /**
   * The series of a query on its grid, once: nothing is tried again. What there is, is a value, also where it is nothing or a part. Rejects with
   * `metrics_unreachable` (no answer; to ask again may help), `metrics_refused` (no grid, a query or credentials that the source
   * refuses, an answer that is none), `metrics_limit` (more than a source or Edge gives at once) or `secret_unavailable` (EdgeError).
   */
  query(query: MetricsQuery, signal: AbortSignal): Promise<MetricsAnswer>;
  /** Ends connections, and what is under way on them. */
  close(): Promise<void>;
}
