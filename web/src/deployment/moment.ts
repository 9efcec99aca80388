import { leftMs } from '../../../src/words/time-left.ts';
import type { Expected } from '../../../src/words/watched.ts';
import { timesOf } from '../charts/swim-lanes.ts';
import type { Times } from '../charts/time-scale.ts';
import type { Live } from '../live/deployment.ts';
import { useNow } from '../parts/time.tsx';

export type Moment = {
  /** Its end, once it has ended. */
  readonly now: number;
  /** How long from now it mostly takes, and how long at most; `null`: nobody can tell. */
  readonly left: Expected | null;
  /** What the pictures of it cover. */
  readonly times: Times;
};

const TICK_MS = 500;
/** So that the latest expected end is not the very edge. */
const BEYOND = 1.04;

export function useMoment(live: Live): Moment {
  const { view, lanes } = live;
  const clock = useNow(TICK_MS);
  const now = view.overall.endedAt ?? clock;
  const left = view.overall.status === 'running' ? leftMs({ ...live, output: [], notice: null }, now) : null;
  return { now, left, times: timesOf({ view, lanes, now, leftMs: (left?.p90Ms ?? 0) * BEYOND }) };
}
