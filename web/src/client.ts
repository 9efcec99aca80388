import { edgeClient } from '../../src/api/client.ts';
import type { SessionInfo } from '../../src/api/contract.ts';
import { inertClient } from '../../src/api/inert-client.ts';
import { EdgeError } from '../../src/domain/errors.ts';

/** The header says that it is the page that asks: another site cannot send it (docs/decisions/0036-the-page.md). */
const pageFetch: typeof fetch = (input, init) =>
  fetch(input, { ...init, headers: { ...init?.headers, 'edge-page': '1' }, credentials: 'same-origin' });

const settings = { server: location.origin, fetch: pageFetch };

/** The API by the session of this browser. Every text that comes out of it is inert. */
export const edge = inertClient(edgeClient(settings));

/** Shows a token once; from then on the browser keeps a session that no script reads. */
export async function signIn(token: string): Promise<SessionInfo> {
  return (await inertClient(edgeClient({ ...settings, token })).signIn({})).session;
}

/** Whether it is for want of a session that something failed. */
export const isSignedOut = (error: unknown): boolean =>
  error instanceof EdgeError && (error.code === 'token_missing' || error.code === 'token_invalid');
