import { EdgeError } from '../../domain/errors.ts';
import type { SecretRef } from '../../domain/secret.ts';

/** Where the database is, without any secret. */
export type StoreAddress = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: SecretRef | null;
  /** `verify`: encrypted, and the server must show a certificate for its host. */
  readonly tls: 'off' | 'verify';
  /** A file of certificates to trust in place of the system's. */
  readonly caFile: string | null;
};

const FORM = 'mysql://user@host:3306/database';
const PASSWORD_HINT =
  'Put it into the environment variable EDGE_STORE_PASSWORD, or add ?password=file:<path> or ?password=env:<variable>.';
const KNOWN = ['password', 'tls', 'ca'];

/**
 * Reads `mysql://user@host[:port]/database[?password=file:<path>|env:<variable>][&tls=verify][&ca=<file>]`. Rejects a password
 * in it: other users of the machine see command lines. Throws `settings_invalid`.
 */
export function parseStoreAddress(text: string): StoreAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.protocol !== 'mysql:') throw invalid('is not the address of a store');
  if (url.password !== '') throw invalid('has a password in it', PASSWORD_HINT);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (url.hostname === '' || url.username === '' || !/^[A-Za-z0-9_$-]{1,64}$/.test(database)) {
    throw invalid('lacks a user, a host or a database');
  }
  for (const name of url.searchParams.keys()) {
    if (!KNOWN.includes(name)) throw invalid(`has an option "${name}" that nobody knows`);
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username),
    database,
    password: passwordOf(url.searchParams.get('password')),
    tls: tlsOf(url.searchParams.get('tls')),
    caFile: url.searchParams.get('ca'),
  };
}

function passwordOf(text: string | null): SecretRef | null {
  if (text === null) return null;
  const match = /^(env|file):(.+)$/.exec(text);
  if (!match?.[2]) throw invalid('has a ?password= that points to nothing', PASSWORD_HINT);
  return { source: match[1] === 'env' ? 'env' : 'file', name: match[2] };
}

function tlsOf(text: string | null): StoreAddress['tls'] {
  if (text !== null && text !== 'verify' && text !== 'off')
    throw invalid('has a ?tls= other than verify or off');
  return text ?? 'off';
}

/** The text is not shown: it may hold a password. */
const invalid = (
  what: string,
  hint = `Write ${FORM}; without --store the data folder holds the state.`,
): EdgeError => new EdgeError('settings_invalid', `What --store or EDGE_STORE says ${what}`, { hint });
