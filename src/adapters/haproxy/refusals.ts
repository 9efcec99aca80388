import { EdgeError } from '../../domain/errors.ts';

/** What HAProxy says in place of what it was asked for. */
export function refusal(what: string, reply: string): EdgeError {
  const [text = ''] = reply.trim().split('\n');
  const message = `${what}: ${text || 'no table in the reply'}`;
  if (/no such (server|backend|proxy)|can't find backend/i.test(text))
    return new EdgeError('balancer_member_unknown', message);
  const hint = /permission denied/i.test(text)
    ? 'Give the stats socket `level admin` in the configuration of HAProxy.'
    : undefined;
  return new EdgeError('balancer_refused', message, hint === undefined ? {} : { hint });
}

/** The characters that HAProxy allows in names. Anything else (`;`, white space, a slash) could be another command. */
export function requireName(name: string): void {
  if (/^[A-Za-z0-9_.:-]+$/.test(name)) return;
  throw new EdgeError(
    'balancer_member_unknown',
    `${JSON.stringify(name)} is not a name that HAProxy can have`,
  );
}
