import type { MemberState } from '../domain/balancer.ts';
import type { KeptMember } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import { createSerial, type Serial } from '../lib/serial.ts';
import type { Clock } from '../ports/clock.ts';
import type { LoadBalancer, MayWrite, PoolMember } from '../ports/load-balancer.ts';

/** So long a write that was given up may arrive: as long as the board has a return wait that begins once it has heard of it. */
const MAY_ARRIVE_MS = 60_000;

/** A balancer on which one process returns members and keeps others out of service: never both with one member at once. */
export type KeepingBalancer = LoadBalancer & {
  /**
   * Rejects with `balancer_unreachable`, which is tried again, while a write of `keepOut` that was given up may still arrive: the
   * return of its member had begun before the board could know of it.
   */
  restore: LoadBalancer['restore'];
  /**
   * Takes a member out again. One whose return has begun at `sinceMs` (monotonic) or later is left alone: then nothing is
   * written, and the result is `undefined`.
   */
  keepOut(
    member: PoolMember & Pick<KeptMember, 'as'>,
    sinceMs: number,
    signal: AbortSignal,
    mayWrite?: MayWrite,
  ): Promise<MemberState | undefined>;
};

export function keepingBalancer(device: LoadBalancer, clock: Pick<Clock, 'monotonicMs'>): KeepingBalancer {
  const returnedAtMs = new Map<string, number>();
  const givenUpAtMs = new Map<string, number>();
  const turns = new Map<string, Serial>();
  const keyOf = ({ pool, member }: PoolMember): string => `${pool}|${member}`;
  const inTurn = <T>(member: PoolMember, work: () => Promise<T>): Promise<T> => {
    const turn = turns.get(keyOf(member)) ?? createSerial();
    turns.set(keyOf(member), turn);
    return turn(work);
  };
  return {
    members: (pool, signal) => device.members(pool, signal),
    disable: (member, to, signal, mayWrite) => device.disable(member, to, signal, mayWrite),
    restore: (member, asFound, signal, mayWrite) => {
      returnedAtMs.set(keyOf(member), clock.monotonicMs());
      return inTurn(member, async () => {
        const givenUpMs = givenUpAtMs.get(keyOf(member)) ?? Number.NEGATIVE_INFINITY;
        if (clock.monotonicMs() - givenUpMs < MAY_ARRIVE_MS) throw underWay(member);
        return device.restore(member, asFound, signal, mayWrite);
      });
    },
    keepOut: (member, sinceMs, signal, mayWrite) =>
      inTurn(member, async () => {
        const returnedMs = returnedAtMs.get(keyOf(member)) ?? Number.NEGATIVE_INFINITY;
        if (returnedMs >= sinceMs) return undefined;
        try {
          return await device.disable(member, member.as, signal, mayWrite);
        } catch (thrown) {
          if (signal.aborted) givenUpAtMs.set(keyOf(member), clock.monotonicMs());
          throw thrown;
        }
      }),
    close: () => device.close(),
  };
}

const underWay = ({ pool, member }: PoolMember): EdgeError =>
  new EdgeError('balancer_unreachable', `An earlier write to ${member} of ${pool} may still arrive`, {
    hint: 'Nothing: it is tried again, and waits for that write.',
  });
