import { EdgeError } from '../../domain/errors.ts';
import type { HttpAnswer, HttpResult } from '../../outbound/http.ts';
import { messageOf } from './wire.ts';

/** Why a 401: the token has ended; the account may not; or nothing that explains it. Told apart by their texts only. */
export type Unauthorised = 'ended' | 'forbidden' | 'spurious';

/**
 * The 401 for a missing permission and the spurious one both begin with `Authorization failed:`; only the former names a
 * user and a verb (INTEGRATIONS.md 1.1).
 */
export function unauthorised(seen: HttpResult): Unauthorised | undefined {
  if (seen.kind !== 'answer' || seen.status !== 401) return undefined;
  const message = messageOf(seen.body);
  if (/has expired|does not exist/i.test(message)) return 'ended';
  if (/no user authentication header or token/i.test(message)) return 'spurious';
  return /^Authorization failed/i.test(message) ? 'forbidden' : 'spurious';
}

/** The control plane starts, or is busy with something else: it has not looked at the request. */
export function isStarting(seen: HttpResult): boolean {
  if (seen.kind === 'nothing') return seen.reason === 'connect' || seen.reason === 'lost';
  if (seen.status === 503) return true;
  const message = messageOf(seen.body);
  if (seen.status === 404) return /URI path.* not registered/i.test(message);
  return seen.status === 500 && /connection to mcpd has been lost/i.test(message);
}

/** What came instead of a 200, as an error of the catalogue. `what` was being done; it begins the message. */
export function failureOf(seen: HttpResult, what: string): EdgeError {
  if (seen.kind === 'nothing') {
    if (seen.reason !== 'tls') return new EdgeError('balancer_unreachable', `${what}: ${seen.why}`);
    const hint = 'Compare `tls` of the balancer with the certificate that the device shows.';
    return new EdgeError('balancer_refused', `${what}: the device is not trusted: ${seen.why}`, { hint });
  }
  if (isStarting(seen)) {
    return new EdgeError(
      'balancer_unreachable',
      `${what}: the control plane is starting or busy (${quote(seen)})`,
    );
  }
  const missing = seen.status === 404 && /01020036/.test(messageOf(seen.body));
  return new EdgeError(missing ? 'balancer_member_unknown' : 'balancer_refused', `${what}: ${quote(seen)}`);
}

/** The account holds all the tokens that it may. */
export const isFull = (seen: HttpResult): boolean =>
  seen.kind === 'answer' && /maximum active login tokens/i.test(messageOf(seen.body));

export function loginFailure(seen: HttpResult, username: string): EdgeError {
  const what = `login as ${username}`;
  if (seen.kind === 'answer' && isFull(seen)) {
    const hint =
      'The account holds 100 live tokens. Delete those of other tools (DELETE /mgmt/shared/authz/tokens/<token>), wait 20 minutes for them to expire, and give Edge an account of its own.';
    return new EdgeError('balancer_refused', `${what}: ${quote(seen)}`, { hint });
  }
  return failureOf(seen, what);
}

export function forbidden(seen: HttpResult, what: string): EdgeError {
  const hint = 'Give the account the role Operator, or more, in the partition of the pool.';
  return new EdgeError(
    'balancer_refused',
    `${what}: ${seen.kind === 'answer' ? quote(seen) : 'no permission'}`,
    { hint },
  );
}

const quote = (seen: HttpAnswer): string => `${seen.status} ${messageOf(seen.body)}`;
