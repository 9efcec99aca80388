import { connect } from 'node:net';
import type { HttpProbe, HttpSeen, Probe, TcpSeen } from '../ports/probe.ts';
import type { HttpClient } from './http.ts';

/**
 * Health looks from the worker. Each is made over a connection of its own, so that the process that answers is the one
 * that listens now. A body longer than asked for is cut, not refused.
 */
export function createProbe(client: HttpClient): Probe {
  return { http: (request, signal) => httpLook(client, request, signal), tcp: tcpLook };
}

async function httpLook(client: HttpClient, look: HttpProbe, signal: AbortSignal): Promise<HttpSeen> {
  const seen = await client.send({ method: 'GET', ...look, cut: true, fresh: true }, signal);
  if (seen.kind === 'nothing') return { kind: 'nothing', why: seen.why };
  return seen;
}

function tcpLook(address: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<TcpSeen> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ host: address, port });
    const leave = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
    };
    const end = (seen: TcpSeen): void => {
      leave();
      resolve(seen);
    };
    const abort = (): void => {
      leave();
      reject(signal.reason);
    };
    const timer = setTimeout(
      () => end({ kind: 'nothing', why: `no connection within ${timeoutMs} ms` }),
      timeoutMs,
    );
    signal.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => end({ kind: 'open' }));
    socket.once('error', (error) => end({ kind: 'nothing', why: error.message }));
  });
}
