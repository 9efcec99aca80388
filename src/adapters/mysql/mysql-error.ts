import { EdgeError } from '../../domain/errors.ts';

/** Error numbers of MySQL and MariaDB (dev.mysql.com/doc/mysql-errors, mariadb.com/kb/en/mariadb-error-codes). */
export const NUMBERS = {
  tableExists: 1050,
  columnExists: 1060,
  indexExists: 1061,
  duplicateKey: 1062,
  lockWaitTimeout: 1205,
  deadlock: 1213,
  changedSinceRead: 1020,
  shutdown: 1053,
  interrupted: 1317,
  killed: 1927,
} as const;

/** What speaks of the world, not of a fault of ours; and what helps. */
const WORLD: Readonly<Record<number, readonly [what: string, hint?: string]>> = {
  1020: ['a row was changed by others again and again'],
  1021: ['its disk is full', 'Free space on the disk of the database; Edge goes on by itself.'],
  1030: ['its storage failed'],
  1040: ['it has too many connections', 'Raise max_connections of the database server.'],
  1044: ['the user may not use this database', 'Grant the user of --store all rights on its database.'],
  1045: [
    'it refuses the user or the password',
    'Check the user in --store, and the password in EDGE_STORE_PASSWORD or where ?password= points to.',
  ],
  1049: ['it has no such database', 'Make it: CREATE DATABASE with the name in --store.'],
  1053: ['it is being shut down'],
  1114: ['a table is full', 'Free space on the disk of the database; Edge goes on by itself.'],
  1142: ['the user lacks a right', 'Grant the user of --store all rights on its database.'],
  1153: [
    'what is to be stored is larger than it takes',
    'Raise max_allowed_packet of the database server, for example to 64M.',
  ],
  1203: ['the user has too many connections', 'Raise max_user_connections of the database server.'],
  1205: ['other connections have kept its rows locked'],
  1213: ['its transactions met in a deadlock again and again'],
  1226: ['the user has used up what it may', 'Raise the limits of the user of --store.'],
  1227: ['the user lacks a right', 'Grant the user of --store all rights on its database.'],
  1290: ['it takes no writes', 'Point --store at the server that takes writes, not at a replica.'],
  1317: ['the statement was interrupted'],
  1836: ['it takes no writes', 'Point --store at the server that takes writes, not at a replica.'],
  1927: ['the connection was killed'],
};

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  PROTOCOL_CONNECTION_LOST: 'the connection was cut',
  ETIMEDOUT: 'no answer came in time',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  HANDSHAKE_NO_SSL_SUPPORT: 'it does not offer encrypted connections',
};

/** COMMIT was sent, and no answer came that says what became of it. */
export class CommitUnknown extends Error {
  override readonly name = 'CommitUnknown';
}

/** The error number of an answer of the server; none where the connection failed. */
export function numberOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('sqlState' in thrown) || !('errno' in thrown)) return undefined;
  return typeof thrown.errno === 'number' ? thrown.errno : undefined;
}

/** Whether the connection is of no use any more: it was lost, or the server has ended it. */
export function isLost(thrown: unknown): boolean {
  const number = numberOf(thrown);
  if (number !== undefined) return LOST.has(number);
  return thrown instanceof Error && ('code' in thrown || 'fatal' in thrown);
}

const LOST: ReadonlySet<number> = new Set([NUMBERS.shutdown, NUMBERS.killed]);

/**
 * The whole transaction was certainly undone by others' doing: a deadlock, a lock that did not come, a key that another one
 * wrote first, a certification failure of a cluster. A second run sees what they did.
 */
export const isConflict = (thrown: unknown): boolean => CONFLICTS.has(numberOf(thrown) ?? 0);

const CONFLICTS: ReadonlySet<number> = new Set([
  NUMBERS.deadlock,
  NUMBERS.lockWaitTimeout,
  NUMBERS.duplicateKey,
  NUMBERS.changedSinceRead,
]);

/** An error of the driver in words of the catalogue. `place`: host and port of the server. */
export function toEdgeError(thrown: unknown, place: string): EdgeError {
  if (thrown instanceof EdgeError) return thrown;
  if (thrown instanceof CommitUnknown) {
    return new EdgeError(
      'store_unavailable',
      `The state store at ${place} did not say whether it kept a write; it is looked up before it is tried again.`,
      { cause: thrown },
    );
  }
  const [what, hint] = seen(thrown);
  if (what === undefined) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new EdgeError('internal', `The state store: ${message}.`, { cause: thrown });
  }
  return new EdgeError('store_unavailable', `The state store at ${place} does not answer: ${what}.`, {
    cause: thrown,
    ...(hint !== undefined && { hint }),
  });
}

function seen(thrown: unknown): readonly [what?: string, hint?: string] {
  const number = numberOf(thrown);
  if (number !== undefined) return WORLD[number] ?? [];
  if (!(thrown instanceof Error) || !('code' in thrown)) return [];
  return [NETWORK[String(thrown.code)] ?? thrown.message.replace(/\.$/, '')];
}
