import { EdgeError } from '../domain/errors.ts';
import { ROLE_PERMISSIONS } from '../domain/permission.ts';
import { sha256 } from '../lib/hash.ts';
import type { Caller } from './caller.ts';
import type { OperationPorts } from './ports.ts';
import { isActive, tokenIdOf } from './tokens.ts';

/** The caller that a token stands for, at this moment. Throws `token_invalid`: unknown, expired and revoked look the same. */
export async function authenticate(
  { records, clock }: Pick<OperationPorts, 'records' | 'clock'>,
  secret: string,
): Promise<Caller> {
  const kept = await records.get('token', tokenIdOf(secret));
  // What is compared is a hash: how long it takes tells nothing of the token.
  if (!kept || kept.value.hash !== sha256(secret) || !isActive(kept.value, clock.now()))
    throw new EdgeError('token_invalid', 'The token is not known, or it has expired or been revoked');
  const { name, role, pool, expiresAt } = kept.value;
  return { name, permissions: ROLE_PERMISSIONS[role], ...(pool !== undefined && { pool }), expiresAt };
}
