import { EdgeError } from '../domain/errors.ts';
import type { Permission } from '../domain/permission.ts';
import type { Session } from '../domain/session.ts';
import { sha256 } from '../lib/hash.ts';
import { authorize, type Caller } from './caller.ts';
import type { OperationPorts } from './ports.ts';
import { tokenIdOf } from './tokens.ts';

/** Who is signed in, and what the page may offer. */
export type SessionInfo = {
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly expiresAt: number | null;
};
export type SessionMade = { readonly session: SessionInfo; readonly secret: string };

type SessionPorts = Pick<OperationPorts, 'records' | 'clock' | 'random'>;

const SECRET_BYTES = 32;
/** Whoever keeps the page open signs in once a week. */
const LONGEST_MS = 7 * 24 * 3_600_000;

/**
 * A session for who shows a token: for a browser, which keeps it where no script reads it. Only its hash is kept here. It ends with its
 * token, and those that have ended are forgotten.
 */
export async function signIn(ports: SessionPorts, caller: Caller): Promise<SessionMade> {
  authorize(caller, 'status.read');
  if (caller.token === undefined) throw new EdgeError('token_missing', 'Only a token begins a session');
  const now = ports.clock.now();
  const secret = Buffer.from(ports.random.bytes(SECRET_BYTES)).toString('base64url');
  const expiresAt = Math.min(now + LONGEST_MS, caller.expiresAt ?? Number.POSITIVE_INFINITY);
  const id = tokenIdOf(secret);
  const value: Session = { id, hash: sha256(secret), token: caller.token, createdAt: now, expiresAt };
  await ports.records.apply([
    { kind: 'session', key: id, value, expected: 0 },
    ...(await ended(ports, now)).map((key) => ({ kind: 'session' as const, key, value: null })),
  ]);
  return { session: infoOf({ ...caller, expiresAt }), secret };
}

const AT_ONCE = 100;

async function ended({ records }: SessionPorts, now: number): Promise<readonly string[]> {
  const kept = await records.list('session');
  return kept.flatMap(({ key, value }) => (value.expiresAt <= now ? [key] : [])).slice(0, AT_ONCE);
}

/** Who asks: of a session as of a token. */
export async function session(_ports: OperationPorts, caller: Caller): Promise<{ session: SessionInfo }> {
  authorize(caller, 'status.read');
  return { session: infoOf(caller) };
}

/** Forgets a session; one that is not known is forgotten already. */
export async function signOut(ports: SessionPorts, caller: Caller, secret: string | null): Promise<void> {
  authorize(caller, 'status.read');
  if (secret === null) return;
  await ports.records.apply([{ kind: 'session', key: tokenIdOf(secret), value: null }]);
}

const infoOf = ({ name, permissions, expiresAt }: Caller): SessionInfo => ({
  ...{ name, permissions: [...permissions], expiresAt },
});
