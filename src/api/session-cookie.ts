import type { FastifyReply, FastifyRequest } from 'fastify';
import { EdgeError } from '../domain/errors.ts';

/** How a browser is known: by a cookie that no script reads, and that goes along with no request of another site. */

export const SESSION_COOKIE = 'edge_session';

/** What a page sends along with what changes something. Another origin may send it only if this one lets it, which never happens. */
export const PAGE_HEADER = 'edge-page';

/** The session of a request; `null` if it has none. */
export function sessionOf({ headers }: FastifyRequest): string | null {
  return (
    new RegExp(`(?:^|; *)${SESSION_COOKIE}=([\\w-]{1,200})(?:;|$)`).exec(headers.cookie ?? '')?.[1] ?? null
  );
}

/**
 * Throws `permission_denied` for a request that a page of another origin may have made: `SameSite` does not tell apart the ports of a
 * host. The header makes browsers ask first, and they are never told that they may.
 */
export function refuseForeign({ method, headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
  if (!isForeign && (method === 'GET' || headers[PAGE_HEADER] !== undefined)) return;
  throw new EdgeError('permission_denied', 'The request does not come from the page of this server', {
    hint: `Scripts send \`Authorization: Bearer <token>\`; the page sends \`${PAGE_HEADER}: 1\` with its cookie.`,
  });
}

/** Sets the cookie, or with `null` takes it away. `expiresAt` and `now` in ms since the epoch. */
export function setSession(
  { request, reply, isTls }: { request: FastifyRequest; reply: FastifyReply; isTls: boolean },
  given: { readonly secret: string; readonly seconds: number } | null,
): void {
  // Behind a proxy that ends TLS only the browser knows that it came by it.
  const isSecure = isTls || (request.headers.origin?.startsWith('https://') ?? false);
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  reply.header(
    'set-cookie',
    given
      ? `${SESSION_COOKIE}=${given.secret}; Max-Age=${given.seconds}; ${attributes}`
      : `${SESSION_COOKIE}=; Max-Age=0; ${attributes}`,
  );
}
