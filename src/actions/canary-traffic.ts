import { type CanaryTime, stepsUntil } from '../analysis/canary-time.ts';
import { trafficOf } from '../analysis/canary-traffic.ts';
import { isCountedByBalancers } from '../domain/analysis.ts';
import type { MemberRef } from '../domain/balancer.ts';
import { EdgeError } from '../domain/errors.ts';
import {
  packReading,
  packStep,
  type TrafficCounts,
  unpackReading,
  unpackStep,
} from '../domain/packed-traffic.ts';
import { trafficBetween } from '../domain/traffic.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import type { ActionContext } from '../ports/action.ts';
import type { CanaryJudgeInputs } from './canary-judge-inputs.ts';
import type { CanaryTraffic } from './canary-state.ts';

/** Readings at once. */
const AT_ONCE = 4;

export type SeenTraffic = {
  /** To be kept for the next look. */
  readonly traffic: CanaryTraffic;
  /** Why a balancer could not be read now. */
  readonly silent?: string;
};

const NOTHING: CanaryTraffic = { steps: '', last: null };

/** Each step so far. */
export const stepsIn = ({ steps }: CanaryTraffic): readonly TrafficCounts[] =>
  steps === '' ? [] : steps.split(' ').map(unpackStep);

export type LookTime = { readonly time: CanaryTime; readonly nowMs: number; readonly delayMs: number };

/**
 * Reads what the balancers have counted, once; `undefined` where no metric is that. What was counted since the last reading is of the step that has
 * ended last: counters do not say when, so a look that comes late gives one longer step, and those before it are gaps. To share it
 * out among them would be steps that nobody has seen. With other sources it is read when these are asked, `delayMs` later.
 *
 * The first reading is made when the first step begins; one before tells only whether there is anything to read. Rejects with what no later
 * look mends, such as a balancer that counts no errors.
 */
export async function lookAtTraffic(
  context: ActionContext,
  inputs: CanaryJudgeInputs,
  { time, nowMs, delayMs }: LookTime,
  before: CanaryTraffic = NOTHING,
): Promise<SeenTraffic | undefined> {
  if (!isCountedByBalancers(inputs.analysis)) return undefined;
  const step = stepsUntil(time, nowMs - delayMs);
  if (before.last && step <= before.last.step) return { traffic: before };
  const pools = poolsOf(inputs);
  const readings = await readAll(context, inputs, pools);
  if (typeof readings === 'string') return { traffic: before, silent: readings };
  if (step < 0) return { traffic: before };
  const last = {
    step,
    readings: readings.map((reading, at) => packReading(reading, pools[at]?.members ?? [])),
  };
  if (!before.last) return { traffic: { steps: gaps(step).join(' '), last } };
  const counted = packStep(countedBetween(before.last, last, { inputs, pools }));
  const steps = [
    ...(before.steps === '' ? [] : [before.steps]),
    ...gaps(step - before.last.step - 1),
    counted,
  ];
  return { traffic: { steps: steps.join(' '), last } };
}

const gaps = (count: number): readonly string[] => Array.from({ length: count }, () => packStep(null));

/** What is read in one command. */
type Pool = { readonly balancer: string; readonly pool: string; readonly members: readonly string[] };

/** In the same order at each look: the members of a packed reading have no names. */
function poolsOf({ members = {} }: CanaryJudgeInputs): readonly Pool[] {
  const all = Map.groupBy(Object.values(members).flat(), ({ balancer, pool }) => keyOf({ balancer, pool }));
  const pools = [...all.values()].flatMap((own): readonly Pool[] => {
    const [first] = own;
    const names = new Set(own.map(({ member }) => member));
    return first ? [{ balancer: first.balancer, pool: first.pool, members: [...names].sort() }] : [];
  });
  return pools.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const keyOf = ({ balancer, pool }: Pick<MemberRef, 'balancer' | 'pool'>): string => `${balancer} ${pool}`;

type Reading = Parameters<typeof packReading>[0];

/** Or why one of them could not be read. */
async function readAll(
  context: ActionContext,
  { balancers = {} }: CanaryJudgeInputs,
  pools: readonly Pool[],
): Promise<readonly Reading[] | string> {
  if (pools.length === 0)
    throw new EdgeError('metrics_refused', 'no server that is compared is a member of a pool');
  const readings = new Map<Pool, Reading>();
  let silent: string | undefined;
  await forEachLimited(pools, AT_ONCE, async (one) => {
    const config = balancers[one.balancer];
    if (!config) throw new EdgeError('metrics_refused', `no balancer is called ${one.balancer}`);
    try {
      const answer = await (await context.ports.statistics(config)).read(one, context.signal);
      if (answer.kind === 'unknown') throw new EdgeError('metrics_refused', answer.why);
      readings.set(one, answer);
    } catch (thrown) {
      context.signal.throwIfAborted();
      if (!(thrown instanceof EdgeError) || thrown.code !== 'balancer_unreachable') throw thrown;
      silent = thrown.message;
    }
  });
  return silent ?? pools.flatMap((one) => readings.get(one) ?? []);
}

type Last = NonNullable<CanaryTraffic['last']>;
type Of = { readonly inputs: CanaryJudgeInputs; readonly pools: readonly Pool[] };

/** A part counts: what a silent instance has counted is left out of all members alike. A member that lacks is a gap of its server. */
function countedBetween(before: Last, after: Last, { inputs, pools }: Of): TrafficCounts {
  const counted = new Map(
    pools.map(({ members, ...pool }, at) => {
      const [earlier, later] = [before.readings[at], after.readings[at]];
      const step =
        earlier && later && trafficBetween(unpackReading(earlier, members), unpackReading(later, members));
      return [keyOf(pool), new Map(step?.members.map((counts) => [counts.member, counts]))] as const;
    }),
  );
  return trafficOf(inputs.pairs, inputs.members ?? {}, (ref) => counted.get(keyOf(ref))?.get(ref.member));
}
