import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PAGES, type ProbeWorld } from '../contracts/probe.ts';
import { freePort } from './free-port.ts';

/** The pages of the contract of `Probe`, served by a real server on a loopback address. */
export async function servePages(): Promise<Omit<ProbeWorld, 'probe' | 'until'>> {
  let last: IncomingHttpHeaders = {};
  const server = createServer((incoming, outgoing) => {
    if (incoming.url === '/silence') return;
    last = incoming.headers;
    const page = PAGES[incoming.url ?? ''];
    if (!page) return void incoming.socket.destroy();
    outgoing.writeHead(page.status, page.headers).end(page.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    closedPort: await freePort(),
    lastHeaders: () => Object.fromEntries(Object.entries(last).map(([name, value]) => [name, String(value)])),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
