import { EdgeError } from '../domain/errors.ts';
import { ROLE_PERMISSIONS } from '../domain/permission.ts';
import type { Token } from '../domain/token.ts';
import { sha256 } from '../lib/hash.ts';
import type { Caller } from './caller.ts';
import type { OperationPorts } from './ports.ts';
import { isActive, tokenIdOf } from './tokens.ts';

type AuthenticationPorts = Pick<OperationPorts, 'records' | 'clock'>;

/** The caller that a token stands for, at this moment. Throws `token_invalid`: unknown, expired and revoked look the same. */
export async function authenticate({ records, clock }: AuthenticationPorts, secret: string): Promise<Caller> {
  const kept = await records.get('token', tokenIdOf(secret));
  // What is compared is a hash: how long it takes tells nothing of the token.
  if (!kept || kept.value.hash !== sha256(secret) || !isActive(kept.value, clock.now()))
    throw new EdgeError('token_invalid', 'The token is not known, or it has expired or been revoked');
  return { ...callerOf(kept.value), token: kept.value.id };
}

/**
 * The caller of a session, with what its token may do at this moment. Throws `token_invalid`: unknown, ended, and of a token that is no
 * good any more look the same.
 */
export async function authenticateSession(
  { records, clock }: AuthenticationPorts,
  secret: string,
): Promise<Caller> {
  const session = await records.get('session', tokenIdOf(secret));
  const now = clock.now();
  const isGood = session?.value.hash === sha256(secret) && session.value.expiresAt > now;
  const token = isGood ? await records.get('token', session.value.token) : null;
  if (!session || !token || !isActive(token.value, now))
    throw new EdgeError('token_invalid', 'The session is not known, or it has ended', {
      hint: 'Sign in again, with a token.',
    });
  const { expiresAt } = session.value;
  return { ...callerOf(token.value), expiresAt: Math.min(expiresAt, token.value.expiresAt ?? expiresAt) };
}

function callerOf({ name, role, pool, expiresAt }: Token): Caller {
  return { name, permissions: ROLE_PERMISSIONS[role], ...(pool !== undefined && { pool }), expiresAt };
}
