import { EdgeError } from '../../domain/errors.ts';
import type { InstanceReading } from '../../domain/traffic.ts';
import type { Clock } from '../../ports/clock.ts';
import type { PoolMembers, TrafficAnswer, TrafficStatistics } from '../../ports/traffic-statistics.ts';
import { parseCounters, parseInfo } from './counters.ts';
import { refusal, requireName } from './refusals.ts';
import { askAll, type RuntimeSocket } from './socket.ts';

export type HaproxyStatisticsOptions = {
  /** Those of all instances that share the pools: a path, or `host:port`, of a stats socket; `level user` is enough. */
  readonly sockets: readonly string[];
  readonly timeoutMs?: number;
};

const TIMEOUT_MS = 5_000;

/** What HAProxy counts of its servers, over its runtime sockets (wire facts: decision 0034). */
export function createHaproxyStatistics(
  { sockets, timeoutMs = TIMEOUT_MS }: HaproxyStatisticsOptions,
  clock: Pick<Clock, 'now'>,
): TrafficStatistics {
  const closing = new AbortController();
  return {
    read: async (members, signal) => {
      requireName(members.pool);
      const atMs = clock.now();
      const either = AbortSignal.any([signal, closing.signal]);
      const seen = await Promise.all(
        sockets.map((address) => lookAt({ address, timeoutMs }, members, either)),
      );
      return answerOf(seen, atMs, members.pool);
    },
    close: async () => closing.abort(new Error('the statistics are closed')),
  };
}

type Silent = { readonly kind: 'silent'; readonly instance: string; readonly error: EdgeError };
type Seen = Exclude<InstanceReading, { kind: 'silent' }> | Silent | { readonly kind: 'uncounted' };

/** Over one connection, which stays with one process: what is counted belongs to the process that is named. */
async function lookAt(
  target: RuntimeSocket,
  { pool, members }: PoolMembers,
  signal: AbortSignal,
): Promise<Seen> {
  const instance = target.address;
  const replies = await silentOr(instance, askAll(target, ['show info', `show stat ${pool} 4 -1`], signal));
  if ('error' in replies) return replies;
  const [info = '', stat = ''] = replies;
  const process = parseInfo(info);
  if (!process) throw refusal(`${instance}: show info`, info);
  const counters = parseCounters(stat, pool, members);
  if (counters.kind === 'refused') throw refusal(`${instance}: backend ${pool}`, stat);
  return counters.kind === 'uncounted' ? counters : { ...counters, instance, ...process };
}

async function silentOr<T>(instance: string, asked: Promise<T>): Promise<T | Silent> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'balancer_unreachable')
      return { kind: 'silent', instance, error };
    throw error;
  }
}

function answerOf(seen: readonly Seen[], atMs: number, pool: string): TrafficAnswer {
  const [first] = seen;
  if (first?.kind === 'silent' && seen.every(({ kind }) => kind === 'silent')) throw first.error;
  const instances: InstanceReading[] = [];
  for (const one of seen) {
    if (one.kind === 'uncounted')
      return {
        kind: 'unknown',
        why: `The backend ${pool} is in TCP mode, in which HAProxy counts no errors`,
      };
    instances.push(one.kind === 'silent' ? silenceOf(one) : one);
  }
  return { kind: 'counted', atMs, instances };
}

const silenceOf = ({ instance, error }: Silent): InstanceReading => ({
  ...{ kind: 'silent', instance, why: error.message },
});
