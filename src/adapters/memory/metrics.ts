import { EdgeError } from '../../domain/errors.ts';
import {
  aligned,
  answerOf,
  type MetricsAnswer,
  type MetricsQuery,
  requireGrid,
  requireRoom,
  type Series,
} from '../../domain/metrics.ts';
import { canonicalJson } from '../../lib/json.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetricsSource } from '../../ports/metrics.ts';

export type MemorySample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly value: number;
};

/** The world's side of metrics in memory. */
export type MemoryMetrics = MetricsSource & {
  put(sample: MemorySample): void;
  /** `false`: every query rejects with `metrics_unreachable`. */
  setReachable(reachable: boolean): void;
  /** `true`: no query is answered in time. */
  setSilent(silent: boolean): void;
  /** Every answer is a part, and says this; none is without it. */
  setWarning(warning: string | undefined): void;
};

export type MemoryMetricsOptions = {
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly timeoutMs: number;
  /** Only what is older counts as complete. */
  readonly delayMs: number;
};

/** As that of Prometheus where nothing is said. */
const REACH_MS = 300_000;

type Stored = Pick<MemorySample, 'name' | 'labels'> & { readonly samples: MemorySample[] };

/**
 * Metrics without a network: for tests and for the simulation. A query is a name, with labels or without, as in PromQL:
 * `errors{server="web-1"}`.
 */
export function createMemoryMetrics({ clock, timeoutMs, delayMs }: MemoryMetricsOptions): MemoryMetrics {
  const stored = new Map<string, Stored>();
  const state = { reachable: true, silent: false, warnings: [] as readonly string[] };
  const answer = async (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (state.silent) await clock.sleep(timeoutMs, signal);
    if (state.silent || !state.reachable)
      throw new EdgeError('metrics_unreachable', 'The metrics in memory do not answer');
  };
  return {
    query: async (query, signal) => {
      requireGrid(query);
      await answer(signal);
      const completeToMs = clock.now() - delayMs;
      if (completeToMs < query.fromMs) return { kind: 'early', completeToMs };
      return find([...stored.values()], query, { completeToMs, warnings: state.warnings });
    },
    close: async () => {},
    put: (sample) => {
      const { name, labels } = sample;
      const key = canonicalJson({ name, labels });
      const series = stored.get(key) ?? { name, labels, samples: [] };
      series.samples.push(sample);
      stored.set(key, series);
    },
    setReachable: (reachable) => void Object.assign(state, { reachable }),
    setSilent: (silent) => void Object.assign(state, { silent }),
    setWarning: (warning) => void Object.assign(state, { warnings: warning === undefined ? [] : [warning] }),
  };
}

function find(
  stored: readonly Stored[],
  query: MetricsQuery,
  said: { readonly completeToMs: number; readonly warnings: readonly string[] },
): MetricsAnswer {
  const wanted = selectorIn(query.text);
  const alignment = { reachMs: REACH_MS, completeToMs: said.completeToMs };
  const matching = stored.filter((one) => matches(one, wanted));
  requireRoom(query, matching.length);
  const series = matching.map(
    ({ name, labels, samples }): Series => ({ name, labels, values: aligned(samples, query, alignment) }),
  );
  return answerOf({ series, ...said });
}

const matches = ({ name, labels }: Stored, wanted: Pick<Stored, 'name' | 'labels'>): boolean =>
  name === wanted.name && Object.entries(wanted.labels).every(([label, value]) => labels[label] === value);

const NAME = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?$/s;
const MATCHER = /^([a-zA-Z_]\w*)=("(?:[^"\\\n]|\\["\\n])*")(?:,|$)/;

function selectorIn(text: string): Pick<Stored, 'name' | 'labels'> {
  const [, name, inner = ''] = NAME.exec(text) ?? [];
  const labels: Record<string, string> = {};
  let rest = inner;
  while (rest !== '') {
    const [whole = '', label = '', quoted = ''] = MATCHER.exec(rest) ?? [];
    if (whole === '') break;
    labels[label] = unquoted(quoted);
    rest = rest.slice(whole.length);
  }
  if (name !== undefined && rest === '') return { name, labels };
  throw new EdgeError('metrics_refused', `${JSON.stringify(text)} is no query of the metrics in memory`);
}

const unquoted = (quoted: string): string =>
  quoted.slice(1, -1).replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
