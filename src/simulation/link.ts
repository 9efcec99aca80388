import { EdgeError, type ErrorCode } from '../domain/errors.ts';
import type { Faults } from './faults.ts';
import type { Life } from './life.ts';
import type { Cancel, Schedule } from './schedule.ts';

/** What becomes of one call on its way. `refused`: nothing arrives, told at once. `request`, `reply`: lost, told late. */
export type Trip = {
  readonly requestMs: number;
  readonly replyMs: number;
  readonly lost?: 'refused' | 'request' | 'reply';
  /** The request waits for its turn where it goes; what is not done yet is not done for who has hung up. */
  readonly isQueued?: boolean;
};

/** A way from a process to something outside of it. */
export type Link = {
  /** What a caller is told that gets no answer, and after how long. */
  readonly code: ErrorCode;
  readonly deadlineMs: number;
  readonly trip: (method: string) => Trip;
};

export type Wiring = {
  readonly schedule: Schedule;
  readonly faults: Faults;
  readonly life: Life;
  readonly link: Link;
};

/**
 * The port as a process has it: each call travels there and back in virtual time, may be lost either way, and may be the last
 * thing that the process does: it can die before the call, and when the answer comes.
 */
export function wired<T extends object>(port: T, wiring: Wiring): T {
  return new Proxy(port, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) =>
        call(wiring, String(name), {
          perform: async () => Reflect.apply(member, target, args),
          signal: signalIn(args),
        });
    },
  });
}

type Called<T> = { readonly perform: () => Promise<T>; readonly signal: AbortSignal | undefined };

/** One call over a link; settled once, at the latest at the link's deadline, unless the process dies before. */
export function call<T>(wiring: Wiring, method: string, { perform, signal }: Called<T>): Promise<T> {
  const { life, link, schedule, faults } = wiring;
  return new Promise<T>((resolve, reject) => {
    if (!life.isAlive) return;
    if (faults.strikes('crash.before-call')) return life.crash();
    if (signal?.aborted) return reject(signal.reason);
    const over: Cancel[] = [];
    const answer = (ms: number, settle: () => void): void => {
      const cancel = life.later(ms, () => {
        for (const end of over) end();
        if (faults.strikes('crash.after-call')) life.crash();
        else settle();
      });
      over.push(cancel);
    };
    const silent = (): void => reject(new EdgeError(link.code, `no answer (${method})`));
    const onAbort = (): void => answer(0, () => reject(signal?.reason));
    signal?.addEventListener('abort', onAbort, { once: true });
    over.push(() => signal?.removeEventListener('abort', onAbort));
    const { requestMs, replyMs, lost, isQueued = false } = link.trip(method);
    answer(lost === 'refused' ? requestMs : link.deadlineMs, silent);
    if (lost === 'refused' || lost === 'request') return;
    schedule.after(requestMs, () => {
      if (isQueued && life.hasHungUp) return;
      perform().then(
        (value) => lost ?? answer(replyMs, () => resolve(value)),
        (error) => lost ?? answer(replyMs, () => reject(error)),
      );
    });
  });
}

/** The signal of a call, wherever its arguments have it. */
function signalIn(args: readonly unknown[]): AbortSignal | undefined {
  for (const arg of args) {
    if (arg instanceof AbortSignal) return arg;
    const own: unknown = typeof arg === 'object' && arg !== null ? Reflect.get(arg, 'signal') : undefined;
    if (own instanceof AbortSignal) return own;
  }
  return undefined;
}
