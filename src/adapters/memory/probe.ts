import type { Clock } from '../../ports/clock.ts';
import type { HttpProbe, HttpSeen, Probe, TcpSeen } from '../../ports/probe.ts';

/** What is there to be seen. An answer that does not come within the time of the look is not seen. */
export type ProbedWorld = {
  readonly clock: Clock;
  readonly http?: (request: HttpProbe) => HttpSeen | Promise<HttpSeen>;
  readonly tcp?: (address: string, port: number) => TcpSeen | Promise<TcpSeen>;
};

const REFUSED = { kind: 'nothing', why: 'connection refused' } as const;

/** Looks at a world in memory. Where nothing is told of, the connection is refused. */
export function createMemoryProbe({ clock, http, tcp }: ProbedWorld): Probe {
  return {
    http: async (request, signal) => {
      signal.throwIfAborted();
      const seen = http?.(request) ?? REFUSED;
      return asRead(request, await within({ clock, timeoutMs: request.timeoutMs, signal }, seen));
    },
    tcp: async (address, port, timeoutMs, signal) => {
      signal.throwIfAborted();
      return within({ clock, timeoutMs, signal }, tcp?.(address, port) ?? REFUSED);
    },
  };
}

/** As it comes over the wire: names of headers in small letters, the body up to the limit. */
function asRead({ maxBytes }: HttpProbe, seen: HttpSeen): HttpSeen {
  if (seen.kind === 'nothing') return seen;
  const headers = Object.entries(seen.headers).map(([name, value]) => [name.toLowerCase(), value]);
  const body = Buffer.from(seen.body).subarray(0, maxBytes).toString();
  return { ...seen, headers: Object.fromEntries(headers), body };
}

type Limits = { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal };

/** What is known at once takes no time, and no turn of the clock. */
async function within<Seen>({ clock, timeoutMs, signal }: Limits, seen: Seen | Promise<Seen>) {
  if (!(seen instanceof Promise)) return seen;
  const over = new AbortController();
  const limit = clock.sleep(timeoutMs, AbortSignal.any([over.signal, signal]));
  const nothing = { kind: 'nothing', why: `no answer within ${timeoutMs} ms` } as const;
  try {
    return await Promise.race([seen, limit.then(() => nothing)]);
  } finally {
    over.abort();
  }
}
