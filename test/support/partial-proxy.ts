import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before a moto, which knows no results that are parts, and makes parts of what it gives. */
export type PartialProxy = {
  readonly url: string;
  setPartial(isPartial: boolean): void;
  stop(): Promise<void>;
};

export async function startPartialProxy(target: string): Promise<PartialProxy> {
  let partial = false;
  const server = createServer(async (request, response) => {
    try {
      const answer = await forwarded(request, target);
      const text = await answer.text();
      const type = answer.headers.get('content-type') ?? 'application/x-amz-json-1.0';
      response.writeHead(answer.status, { 'content-type': type });
      response.end(partial ? text.replaceAll('"Complete"', '"PartialData"') : text);
    } catch {
      response.destroy();
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    setPartial: (to) => {
      partial = to;
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function forwarded(request: IncomingMessage, target: string): Promise<Response> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const names = ['content-type', 'x-amz-target', 'authorization', 'x-amz-date'];
  const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name] ?? '')]));
  return fetch(`${target}${request.url}`, { method: 'POST', headers, body: Buffer.concat(chunks) });
}
