import type { HttpProbe, HttpSeen, Probe, TcpSeen } from '../../ports/probe.ts';

const NOTHING = { kind: 'nothing', why: 'connection refused' } as const;

/** Answers as it was told: by URL, and by `address:port`. What it was not told of refuses the connection. */
export class MemoryProbe implements Probe {
  readonly pages = new Map<string, (request: HttpProbe) => HttpSeen>();
  readonly ports = new Map<string, () => TcpSeen>();

  async http(request: HttpProbe, signal: AbortSignal): Promise<HttpSeen> {
    signal.throwIfAborted();
    return this.pages.get(request.url)?.(request) ?? NOTHING;
  }

  async tcp(address: string, port: number, _timeoutMs: number, signal: AbortSignal): Promise<TcpSeen> {
    signal.throwIfAborted();
    return this.ports.get(`${address}:${port}`)?.() ?? NOTHING;
  }
}
