import type { Readable } from 'node:stream';
import type { HttpClient, HttpOpened } from './http.ts';
import { refusalOf } from './origins.ts';

export type DownloadRequest = {
  readonly url: string;
  /** Sent to the origin of `url`, and never to another one that it redirects to. */
  readonly authorization?: string;
  /** The first byte that is wanted. */
  readonly from: number;
  /** What was there before: if it is something else by now, all of it comes. */
  readonly etag?: string;
  /** The only origins that may be asked; without it, any. */
  readonly origins?: readonly string[];
};

export type DownloadOpened =
  /** `from`: 0 where the source gives all of it whatever is asked. `etag`: a strong one. Whoever does not read the body destroys it. */
  | {
      readonly kind: 'bytes';
      readonly from: number;
      readonly totalBytes: number | null;
      readonly etag: string | null;
      readonly body: Readable;
    }
  /** `lasting`: the next try would not fare better. */
  | {
      readonly kind: 'refused';
      readonly why: string;
      readonly status: number | null;
      readonly lasting: boolean;
    };

const MOST_REDIRECTS = 5;
const SILENT_MS = 30_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Begins a download, or goes on with one. Follows redirects, though not from https to http. */
export async function openDownload(
  client: HttpClient,
  request: DownloadRequest,
  signal: AbortSignal,
): Promise<DownloadOpened> {
  let url = new URL(request.url);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const refusal = refusalOf(url.href, request.origins);
    if (refusal !== undefined) return lasting(refusal);
    const headers = headersFor(request, url);
    const opened = await client.open({ url: url.href, headers, silentMs: SILENT_MS }, signal);
    if (opened.kind === 'nothing')
      return {
        kind: 'refused',
        why: `${url.host}: ${opened.why}`,
        status: null,
        lasting: opened.reason === 'tls',
      };
    if (!REDIRECTS.has(opened.status)) return answered(opened, request.from, url);
    opened.body.destroy();
    const next = nextOf(url, opened.headers.location);
    if (typeof next === 'string') return lasting(next);
    url = next;
  }
  return lasting(`${url.host} redirects more than ${MOST_REDIRECTS} times`);
}

const lasting = (why: string, status: number | null = null): DownloadOpened => ({
  kind: 'refused',
  why,
  status,
  lasting: true,
});

function headersFor({ url: first, authorization, from, etag }: DownloadRequest, url: URL) {
  const isSame = url.origin === new URL(first).origin;
  return {
    ...(authorization !== undefined && isSame && { authorization }),
    ...(from > 0 && { range: `bytes=${from}-` }),
    ...(from > 0 && etag !== undefined && { 'if-range': etag }),
  };
}

/** Where it leads, or why nobody goes there. */
function nextOf(from: URL, location: string | undefined): URL | string {
  if (location === undefined || !URL.canParse(location, from.href))
    return `${from.host} redirects to no address`;
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && !(to.protocol === 'http:' && from.protocol === 'http:'))
    return `${from.host} redirects to ${to.protocol}//${to.host}, which is less safe`;
  if (to.username !== '' || to.password !== '') return `${from.host} redirects to an address with a user`;
  return to;
}

const MAY_PASS: ReadonlySet<number> = new Set([408, 425, 429]);

function answered(
  { status, headers, body }: Extract<HttpOpened, { kind: 'opened' }>,
  asked: number,
  url: URL,
): DownloadOpened {
  const etag = headers.etag?.startsWith('"') ? headers.etag : null;
  if (status === 200)
    return { kind: 'bytes', from: 0, totalBytes: countOf(headers['content-length']), etag, body };
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  if (status === 206 && Number(first) === asked)
    return { kind: 'bytes', from: asked, totalBytes: countOf(total), etag, body };
  body.destroy();
  const why = `${url.host} answers ${status} for ${url.pathname}`;
  const isLasting = status < 500 && !MAY_PASS.has(status);
  return { kind: 'refused', why, status, lasting: isLasting };
}

const countOf = (text: string | undefined): number | null =>
  text && /^\d+$/.test(text) ? Number(text) : null;
