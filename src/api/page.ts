import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** The page: what `scripts/page.ts` builds of web/, as files that are all in memory (about 1 MB). */
export type Page = ReadonlyMap<string, PageFile>;
type PageFile = {
  readonly type: string;
  readonly body: Buffer;
  /** The same, compressed, if that is worth it. */
  readonly gzip: Buffer | null;
  /** Its name has its digest: what is under it never changes. */
  readonly isFixed: boolean;
};

const INDEX = '/index.html';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/**
 * Only what this server gives, nothing in the page itself, and nobody else's page around it. Styles of elements are set by script, which
 * the policy lets pass.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

/** Reads what was built into a folder; `null` if nothing was. */
export async function readPage(folder: string): Promise<Page | null> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = names.filter((entry) => entry.isFile() && !entry.name.endsWith('.gz'));
  const page = await Promise.all(
    files.map(async ({ parentPath, name }): Promise<[string, PageFile]> => {
      const path = join(parentPath, name);
      const url = path.slice(folder.length).replaceAll('\\', '/');
      const [body, gzip] = await Promise.all([readFile(path), readFile(`${path}.gz`).catch(() => null)]);
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      return [url, { type, body, gzip, isFixed: url.startsWith('/assets/') }];
    }),
  );
  const read = new Map(page);
  return read.has(INDEX) ? read : null;
}

/**
 * Answers with a file of the page, or where a browser asks for something to look at with the page itself, which knows its own addresses.
 * Gives whether it did.
 */
export function givePage(page: Page, request: FastifyRequest, reply: FastifyReply): boolean {
  const file = request.method === 'GET' ? fileFor(page, request) : undefined;
  if (!file) return false;
  const { type, body, gzip, isFixed } = file;
  const zipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '') ? gzip : null;
  reply
    .code(200)
    .type(type)
    .header('cache-control', isFixed ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('content-security-policy', POLICY)
    .header('referrer-policy', 'no-referrer')
    .header('cross-origin-opener-policy', 'same-origin')
    .header('cross-origin-resource-policy', 'same-origin')
    .header('vary', 'accept-encoding');
  if (zipped) reply.header('content-encoding', 'gzip');
  reply.send(zipped ?? body);
  return true;
}

function fileFor(page: Page, { url, headers }: FastifyRequest): PageFile | undefined {
  const path = url.split('?')[0] ?? '/';
  const isLooking = headers.accept?.includes('text/html') && !/^\/(v1|assets)\//.test(path);
  if (path === '/') return page.get(INDEX);
  return page.get(path) ?? (isLooking ? page.get(INDEX) : undefined);
}
