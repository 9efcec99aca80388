import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a Prometheus reads further data from: it has none, or fails, and then Prometheus warns that its answer is a part. */
export type RemoteRead = {
  readonly url: string;
  setFailing(isFailing: boolean): void;
  stop(): Promise<void>;
};

/** A `ReadResponse` with one result of no series: two bytes of protobuf in a block of snappy (prompb/remote.proto). */
const NOTHING = Buffer.from([0x02, 0x04, 0x0a, 0x00]);

export async function startRemoteRead(): Promise<RemoteRead> {
  let failing = false;
  const server = createServer((request, response) => {
    request.resume();
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };
    if (failing) response.writeHead(500).end('the disk is gone');
    else response.writeHead(200, headers).end(NOTHING);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/read`,
    setFailing: (to) => {
      failing = to;
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
