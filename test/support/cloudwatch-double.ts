import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a `GetMetricData` is answered with: a document, or an error of AWS by its type (AWS JSON 1.0). */
export type CloudwatchReply = {
  readonly status?: number;
  readonly type?: string;
  readonly message?: string;
  readonly body?: unknown;
  readonly silent?: boolean;
};

export type CloudwatchDouble = {
  readonly url: string;
  /** What was asked, oldest first. */
  readonly asked: readonly {
    readonly headers: IncomingHttpHeaders;
    readonly body: Readonly<Record<string, unknown>>;
  }[];
  stop(): Promise<void>;
};

/** Answers requests one after another with these replies, the last one again and again. */
export async function startCloudwatchDouble(replies: readonly CloudwatchReply[]): Promise<CloudwatchDouble> {
  const asked: { headers: IncomingHttpHeaders; body: Readonly<Record<string, unknown>> }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (data) => {
      text += String(data);
    });
    request.on('end', () => {
      const reply = replies[Math.min(asked.length, replies.length - 1)] ?? {};
      asked.push({ headers: request.headers, body: JSON.parse(text) });
      if (reply.silent) return;
      const { type, message, body } = reply;
      const error = type === undefined ? undefined : { __type: `com.amazonaws.cloudwatch#${type}`, message };
      response.writeHead(reply.status ?? (error ? 400 : 200), {
        'content-type': 'application/x-amz-json-1.0',
      });
      response.end(typeof body === 'string' ? body : JSON.stringify(error ?? body ?? {}));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
