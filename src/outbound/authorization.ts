import type { SecretRef } from '../domain/secret.ts';

/** How Edge proves itself over HTTP: by a bearer token, or by a user and password (RFC 6750, RFC 7617). */
export type HttpCredentials =
  | { readonly token: SecretRef }
  | { readonly username: string; readonly password: SecretRef };

export type SecretReader = { resolve(reference: SecretRef): Promise<string> };

/** The header of a request, made anew for each: secrets may change. Rejects with `secret_unavailable`. */
export async function authorizationFor(
  credentials: HttpCredentials | undefined,
  secrets: SecretReader,
): Promise<{ readonly authorization?: string }> {
  if (credentials === undefined) return {};
  if ('token' in credentials) return { authorization: `Bearer ${await secrets.resolve(credentials.token)}` };
  const password = await secrets.resolve(credentials.password);
  const pair = Buffer.from(`${credentials.username}:${password}`).toString('base64');
  return { authorization: `Basic ${pair}` };
}
