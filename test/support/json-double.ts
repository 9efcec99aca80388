import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type JsonRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type JsonReply = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text as it is, anything else as JSON. */
  readonly body: unknown;
};

/** A server that speaks JSON as somebody else's does. */
export type JsonDouble = {
  readonly origin: string;
  /** What it was asked, oldest first. */
  readonly asked: readonly JsonRequest[];
  break(): Promise<void>;
  mend(): Promise<void>;
  /** It takes what it is asked from now on, and says nothing. */
  hang(): void;
};

export async function startJsonDouble(answer: (request: JsonRequest) => JsonReply): Promise<JsonDouble> {
  const asked: JsonRequest[] = [];
  let hanging = false;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += String(data);
    });
    request.on('end', () => {
      const { method = '', headers } = request;
      const url = new URL(request.url ?? '/', 'http://here');
      asked.push({ method, url, headers, body });
      if (hanging) return;
      const reply = answer({ method, url, headers, body });
      response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    asked,
    break: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    mend: async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    hang: () => {
      hanging = true;
    },
  };
}
