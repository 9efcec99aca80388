import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

type Asked = {
  readonly path: string;
  /** The first byte that was wanted. */
  readonly from: number;
  readonly authorization: string | undefined;
};

/** A server that gives files: with passwords, ranges, redirects and breaks as those that people have. */
export type ArtifactSource = {
  readonly url: string;
  /** By path: `/a.jar`. */
  readonly files: Map<string, Uint8Array>;
  /** By path: where it is instead. */
  readonly redirects: Map<string, string>;
  readonly asked: Asked[];
  /** What `Authorization` has to be; left out: nobody has to say who he is. */
  authorization: string | undefined;
  /** Of the next answers: how many bytes are sent before the connection is cut. */
  readonly cuts: number[];
  /** `ignored`: each answer is the whole file. `changed`: it has another ETag each time. */
  ranges: 'yes' | 'ignored' | 'changed';
  /** Status of all answers from now on. */
  failing: number | undefined;
  /** Held back: from now on answers begin and send so many bytes, and the rest once `release` is called. */
  holdAfter: number | undefined;
  release(): void;
  close(): Promise<void>;
};

type Tls = { readonly key: Buffer; readonly cert: Buffer };

/** With a key and a certificate it speaks https. */
export async function startArtifactSource(host = '127.0.0.1', tls?: Tls): Promise<ArtifactSource> {
  const held: (() => void)[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    answer(source, { request, response, held }).catch(() => response.destroy());
  };
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const source: ArtifactSource = {
    url: `${tls ? 'https' : 'http'}://${host}:${port}`,
    ...{ files: new Map(), redirects: new Map(), asked: [], cuts: [] },
    ...{ authorization: undefined, ranges: 'yes', failing: undefined, holdAfter: undefined },
    release: () => {
      source.holdAfter = undefined;
      for (const go of held.splice(0)) go();
    },
    close: async () => {
      source.release();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return source;
}

type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly held: (() => void)[];
};

async function answer(source: ArtifactSource, { request, response, held }: Exchange): Promise<void> {
  const path = request.url ?? '/';
  const { authorization, range } = request.headers;
  const wanted = source.ranges === 'ignored' ? 0 : Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
  source.asked.push({ path, from: wanted, authorization });
  const refuse = (status: number, more = {}) => void response.writeHead(status, more).end('no');
  if (source.failing !== undefined) return refuse(source.failing);
  if (source.authorization !== undefined && authorization !== source.authorization) return refuse(401);
  const to = source.redirects.get(path);
  if (to !== undefined) return refuse(302, { location: to });
  const file = source.files.get(path);
  if (!file) return refuse(404);
  if (wanted > 0 && wanted >= file.length) return refuse(416, { 'content-range': `bytes */${file.length}` });
  const etag = source.ranges === 'changed' ? `"${source.asked.length}"` : `"${file.length}"`;
  const from =
    wanted > 0 && [undefined, etag].includes(request.headers['if-range'] as string | undefined) ? wanted : 0;
  response.writeHead(from > 0 ? 206 : 200, {
    ...{ 'content-length': file.length - from, etag },
    ...(from > 0 && { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` }),
  });
  const body = file.subarray(from);
  const cut = source.cuts.shift();
  const { holdAfter } = source;
  if (cut !== undefined) {
    await new Promise<void>((resolve) => response.write(body.subarray(0, cut), () => resolve()));
    response.destroy();
  } else if (holdAfter !== undefined) {
    response.write(body.subarray(0, holdAfter));
    held.push(() => response.end(body.subarray(holdAfter)));
  } else response.end(body);
}
