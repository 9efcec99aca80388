import { EdgeError } from '../domain/errors.ts';
import type { Role } from '../domain/permission.ts';
import type { Token } from '../domain/token.ts';
import { sha256 } from '../lib/hash.ts';
import { authorize, type Caller } from './caller.ts';
import { SCHEDULE } from './drift-schedule.ts';
import type { OperationPorts } from './ports.ts';

/** A token without what it is. */
export type TokenInfo = Omit<Token, 'hash' | 'pool'> & { readonly pool: string | null };
export type TokenMade = { readonly token: TokenInfo; readonly secret: string };
export type TokenInput = {
  readonly name: string;
  readonly role: Role;
  readonly pool?: string;
  readonly expiresAt?: number;
};

type TokenPorts = Pick<OperationPorts, 'records' | 'clock' | 'random'>;

const SECRET_BYTES = 32;
const ID_DIGITS = 16;

/** The id is the start of the hash, so that a token is found by itself, without a search. */
export const tokenIdOf = (secret: string): string => sha256(secret).slice(0, ID_DIGITS);

/** Only its hash is kept: the secret is in the answer and nowhere else. Throws `request_invalid`. */
export async function createToken(
  ports: OperationPorts,
  caller: Caller,
  input: TokenInput,
): Promise<TokenMade> {
  authorize(caller, 'token.manage');
  const now = ports.clock.now();
  refuseOdd(input, now);
  await refuseTakenName(ports, input.name, now);
  return make(ports, { ...input, expiresAt: earlier(caller.expiresAt, input.expiresAt ?? null) });
}

/** All of them, revoked ones too, newest first. */
export async function tokens(
  { records }: OperationPorts,
  caller: Caller,
): Promise<{ readonly tokens: readonly TokenInfo[] }> {
  authorize(caller, 'token.manage');
  const kept = await records.list('token');
  return { tokens: kept.map(({ value }) => infoOf(value)).sort((a, b) => b.createdAt - a.createdAt) };
}

/** Twice is once. Throws `request_invalid` if there is no such token, or if nobody could manage tokens any more. */
export async function revokeToken(
  ports: OperationPorts,
  caller: Caller,
  input: { readonly token: string },
): Promise<{ readonly token: TokenInfo }> {
  authorize(caller, 'token.manage');
  const now = ports.clock.now();
  const kept = await ports.records.get('token', input.token);
  if (!kept) throw odd('token', `There is no token "${input.token}"`, SEE_LIST);
  if (kept.value.revokedAt !== null) return { token: infoOf(kept.value) };
  await refuseLastAdmin(ports, kept.value, now);
  const value: Token = { ...kept.value, revokedAt: now };
  await ports.records.apply([{ kind: 'token', key: kept.key, value }]);
  return { token: infoOf(value) };
}

/** At the first start, when there is no token at all: one for an administrator, given this once. Else `null`. */
export async function makeFirstToken(ports: TokenPorts): Promise<TokenMade | null> {
  if ((await ports.records.list('token')).length > 0) return null;
  return make(ports, { name: 'first', role: 'admin', expiresAt: null });
}

async function make(
  { records, clock, random }: TokenPorts,
  input: Omit<TokenInput, 'expiresAt'> & Pick<Token, 'expiresAt'>,
): Promise<TokenMade> {
  const secret = `edge_${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')}`;
  const { name, role, pool, expiresAt } = input;
  const token: Token = {
    ...{ id: tokenIdOf(secret), name, role, hash: sha256(secret) },
    ...(pool !== undefined && { pool }),
    ...{ createdAt: clock.now(), expiresAt, revokedAt: null },
  };
  await records.apply([{ kind: 'token', key: token.id, value: token, expected: 0 }]);
  return { token: infoOf(token), secret };
}

export function infoOf({ hash: _, ...token }: Token): TokenInfo {
  return { ...token, pool: token.pool ?? null };
}

export const isActive = ({ revokedAt, expiresAt }: Token, now: number): boolean =>
  revokedAt === null && (expiresAt === null || expiresAt > now);

/** What a token makes never outlives it. */
function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

const odd = (path: string, message: string, hint: string) =>
  new EdgeError('request_invalid', message, { where: { path }, hint });
const SEE_LIST = 'Run `edge token list` for those that exist.';

/** Who stands in the record where nobody asked: no person is to be taken for them. */
const OWN_NAMES = new Set(['engine', SCHEDULE]);

function refuseOdd({ name, role, pool, expiresAt }: TokenInput, now: number): void {
  if (OWN_NAMES.has(name))
    throw odd('name', `"${name}" is what Edge calls itself in the record`, 'Choose another name.');
  if (role === 'worker' && pool === undefined)
    throw odd('pool', "A worker's token names its pool", 'Name it: --pool <pool>.');
  if (role !== 'worker' && pool !== undefined)
    throw odd('pool', 'Only the token of a worker has a pool', 'Leave the pool out.');
  if (expiresAt !== undefined && expiresAt <= now)
    throw odd('expiresAt', 'The token would have expired already', 'Name a time to come.');
}

/** The name stands in the record as who did it. */
async function refuseTakenName({ records }: OperationPorts, name: string, now: number): Promise<void> {
  const taken = (await records.list('token')).some(
    ({ value }) => value.name === name && isActive(value, now),
  );
  if (taken) throw odd('name', `There is a token "${name}" already`, SEE_LIST);
}

async function refuseLastAdmin({ records }: OperationPorts, token: Token, now: number): Promise<void> {
  const kept = (await records.list('token')).map(({ value }) => value);
  const stays = kept.some((other) => other.id !== token.id && other.role === 'admin' && isActive(other, now));
  if (token.role === 'admin' && !stays)
    throw odd(
      'token',
      `"${token.name}" is the only token of an administrator`,
      'Make another one first: `edge token create <name> --role admin`.',
    );
}
