import type { SecretRef } from '../domain/secret.ts';

/** Resolves references where the work is done (contract C11). Rejects with `secret_unavailable`. */
export interface Secrets {
  resolve(reference: SecretRef): Promise<string>;
}
