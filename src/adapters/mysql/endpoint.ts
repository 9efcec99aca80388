import type { SecretRef } from '../../domain/secret.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { StoreAddress } from './address.ts';
import type { Endpoint } from './connection.ts';

/** Where the password is looked for when the address does not say. */
const PASSWORD: SecretRef = { source: 'env', name: 'EDGE_STORE_PASSWORD' };

/**
 * What it takes to connect, with the secrets as they are now. `isSet` says whether an environment variable is there: without one, and
 * without a word in the address, there is no password. Rejects with `secret_unavailable`.
 */
export async function endpointOf(
  { host, port, user, database, tls, caFile, password }: StoreAddress,
  secrets: Secrets,
  isSet: (variable: string) => boolean,
): Promise<Endpoint> {
  const reference = password ?? (isSet(PASSWORD.name) ? PASSWORD : null);
  const ca = caFile === null ? {} : { ca: await secrets.resolve({ source: 'file', name: caFile }) };
  return {
    host,
    port,
    user,
    database,
    password: reference === null ? '' : await secrets.resolve(reference),
    tls: tls === 'verify' ? ca : null,
  };
}
