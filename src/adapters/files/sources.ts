import type { SecretRef } from '../../domain/secret.ts';
import { type DownloadOpened, openDownload } from '../../outbound/download.ts';
import type { HttpClient } from '../../outbound/http.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { Supplied, Supply } from './fill.ts';

/** What sources on the network are asked with. */
export type Network = {
  readonly http: HttpClient;
  readonly secrets: Secrets;
  /** The only origins that artifacts may come from; left out: any. */
  readonly origins?: readonly string[];
};

/** Where a worker of another machine gets what only the server has. */
export type ServerAccess = { readonly url: string; readonly token: string };

type Address = { readonly url: string; readonly credentials?: SecretRef };

/** Rejects with `secret_unavailable`. */
export function fromUrl({ http, secrets, origins }: Network, { url, credentials }: Address): Supply {
  return async (asked, signal) => {
    const authorization = credentials && headerOf(await secrets.resolve(credentials));
    const request = { url, ...asked, ...(authorization && { authorization }), ...(origins && { origins }) };
    const hint = 'Check `credentials` of the artifact, and what they may read.';
    return withHint(await openDownload(http, request, signal), hint);
  };
}

/** A bearer token has no colon (RFC 6750), and `user:password` has one. */
export function headerOf(secret: string): string {
  return secret.includes(':') ? `Basic ${Buffer.from(secret).toString('base64')}` : `Bearer ${secret}`;
}

export function fromServer({ http }: Network, { url, token }: ServerAccess, sha256: string): Supply {
  const address = `${url.replace(/\/+$/, '')}/v1/worker/artifacts/${sha256}`;
  const hint = 'Check the token of the worker: it may have expired, or been revoked.';
  return async (asked, signal) => {
    const request = { url: address, authorization: `Bearer ${token}`, ...asked };
    return withHint(await openDownload(http, request, signal), hint);
  };
}

/** For whoever is not let in. */
const withHint = (opened: DownloadOpened, hint: string): Supplied =>
  opened.kind === 'refused' && (opened.status === 401 || opened.status === 403)
    ? { ...opened, hint }
    : opened;

/** What is to be seen of a source without reading it: how many bytes it has, if it says so, or why it gives none. */
export async function looked(
  supply: Supply,
  signal: AbortSignal,
): Promise<{ readonly totalBytes: number | null } | Extract<DownloadOpened, { kind: 'refused' }>> {
  const opened = await supply({ from: 0 }, signal);
  if (opened.kind === 'refused') return opened;
  opened.body.destroy();
  return { totalBytes: opened.totalBytes };
}

/** A short text of a source, or why it gives none. */
export async function textFrom(
  supply: Supply,
  mostBytes: number,
  signal: AbortSignal,
): Promise<{ readonly kind: 'text'; readonly text: string } | Extract<DownloadOpened, { kind: 'refused' }>> {
  const opened = await supply({ from: 0 }, signal);
  if (opened.kind === 'refused') return opened;
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of opened.body) {
      size += piece.length;
      if (size > mostBytes)
        return { kind: 'refused', why: `it has more than ${mostBytes} bytes`, status: null, lasting: true };
      pieces.push(piece);
    }
  } catch (thrown) {
    signal.throwIfAborted();
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { kind: 'refused', why, status: null, lasting: false };
  } finally {
    opened.body.destroy();
  }
  return { kind: 'text', text: Buffer.concat(pieces).toString('utf8') };
}
