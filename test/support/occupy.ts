import { get } from 'node:http';
import type { MemberServer } from './member-server.ts';
import { until } from './until.ts';

/**
 * Sends requests to `/hold` through a balancer until one waits at this server; resolves with the function that lets it
 * end. The other servers answer such a request at once.
 */
export async function occupy(url: string, server: MemberServer): Promise<() => void> {
  server.holding = true;
  while (server.held === 0) {
    let answered = false;
    const request = get(`${url}/hold`, { agent: false }, (answer) => {
      answered = true;
      answer.resume();
    });
    request.on('error', () => {
      answered = true;
    });
    await until('the request is held or answered', () => answered || server.held > 0);
  }
  return () => {
    server.holding = false;
    server.release();
  };
}
