import { EdgeError, type ErrorCode } from '../../domain/errors.ts';
import type { HostAddress } from '../../ports/hosts.ts';

/** An error about one host; `why` goes on where its name stands. */
export function hostError(
  code: ErrorCode,
  host: HostAddress,
  why: string,
  details: { readonly hint?: string; readonly cause?: unknown } = {},
): EdgeError {
  return new EdgeError(code, `${place(host)}${why}`, { ...details, where: { target: host.name } });
}

/** A host as errors name it. */
export function place({ name, user, address, port }: HostAddress): string {
  const account = user === undefined ? '' : `${user}@`;
  return `${name} (${account}${address}${port === undefined ? '' : `:${port}`})`;
}
