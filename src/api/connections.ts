import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a server, so that closing it waits for requests and for nothing else. Node's own idea of an idle
 * connection leaves out those that were opened ahead and never used, and would wait for them.
 */
export function trackConnections(server: Server, opened: 'connection' | 'secureConnection'): { end(): void } {
  const requests = new Map<Socket, number>();
  let isEnding = false;
  const count = (socket: Socket, change: number): void => {
    const left = (requests.get(socket) ?? 0) + change;
    if (isEnding && left === 0) socket.destroySoon();
    else requests.set(socket, left);
  };
  server.on(opened, (socket: Socket) => {
    count(socket, 0);
    socket.on('close', () => requests.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    count(socket, 1);
    response.on('close', () => count(socket, -1));
  });
  return {
    /** Ends each connection as soon as it carries no request. */
    end: () => {
      isEnding = true;
      for (const [socket, active] of requests) if (active === 0) socket.destroySoon();
    },
  };
}
