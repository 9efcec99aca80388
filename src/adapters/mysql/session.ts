import { EdgeError } from '../../domain/errors.ts';

/** Reads see one moment of the database over all their statements; writes see the newest of every row that they lock. */
export type Isolation = 'READ COMMITTED' | 'REPEATABLE READ';

/** A lock is waited for so long; well below the deadline of a call. */
const LOCK_WAIT_S = 5;

/**
 * The server ends a connection that is silent for so long, and with it the transaction and the locks of a process that was cut
 * off and could not say good-bye. An idle connection is not used any more after half of it.
 */
export const SILENT_S = 60;

const MODES = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION';

/** The first MariaDB and MySQL with SKIP LOCKED. */
const OLDEST = { mariadb: [10, 6], mysql: [8, 0] } as const;

/** A plan of 20,000 targets is one row. */
const SMALLEST_PACKET = 16 * 1024 * 1024;

/** Runs a statement without parameters. */
export type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** Makes a new connection ours, whatever the server's defaults are, and refuses a server that would lose what it acknowledges. */
export async function prepareSession(ask: Ask, isolation: Isolation): Promise<void> {
  await ask(`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`);
  await ask(
    `SET SESSION sql_mode = '${MODES}', time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, unique_checks = 1,
       innodb_lock_wait_timeout = ${LOCK_WAIT_S}, wait_timeout = ${SILENT_S}
       /*M!100300 , in_predicate_conversion_threshold = 0 */`,
  );
  const rows = await ask(`SHOW VARIABLES WHERE Variable_name IN (${ASKED})`);
  const variables = new Map(rows.map((row) => [String(row.Variable_name), String(row.Value)]));
  const fault = faultOf(variables, isolation);
  if (fault) throw fault;
}

const ASKED = [
  'version',
  'innodb_flush_log_at_trx_commit',
  'log_bin',
  'sync_binlog',
  'binlog_format',
  'read_only',
  'max_allowed_packet',
  'tx_isolation',
  'transaction_isolation',
]
  .map((name) => `'${name}'`)
  .join(', ');

type Variables = ReadonlyMap<string, string>;

/** Why Edge cannot trust a server with these variables, if so. */
export function faultOf(variables: Variables, isolation: Isolation): EdgeError | undefined {
  const has = (name: string) => variables.get(name) ?? 'nothing';
  if (isTooOld(has('version'))) {
    return refused(`is version ${has('version')}`, 'Edge needs MariaDB 10.6 or MySQL 8.0, or newer.');
  }
  const wrong = (name: string, wanted: string, why: string) =>
    refused(`has ${name} = ${has(name)}`, `Set ${name} = ${wanted} in its configuration: ${why}.`);
  if (has('innodb_flush_log_at_trx_commit') !== '1') {
    return wrong('innodb_flush_log_at_trx_commit', '1', 'else a power cut loses what it has acknowledged');
  }
  if (has('log_bin') === 'ON' && has('sync_binlog') !== '1') {
    return wrong('sync_binlog', '1', 'else a power cut loses what it has acknowledged');
  }
  if (has('log_bin') === 'ON' && has('binlog_format') === 'STATEMENT') {
    return wrong('binlog_format', 'ROW', 'statements cannot be repeated in READ COMMITTED');
  }
  if (has('read_only') !== 'OFF')
    return wrong('read_only', 'OFF', 'Edge writes; a replica cannot be its store');
  if (Number(has('max_allowed_packet')) < SMALLEST_PACKET) {
    return wrong('max_allowed_packet', '64M', 'a large plan is one row');
  }
  const level = variables.get('transaction_isolation') ?? has('tx_isolation');
  if (level !== isolation.replace(' ', '-')) {
    return refused(`keeps the isolation level ${level}`, `Let sessions have ${isolation}.`);
  }
  return undefined;
}

function isTooOld(version: string): boolean {
  // A replication prefix of old MariaDB servers.
  const [, major = '0', minor = '0'] = /^(?:5\.5\.5-)?(\d+)\.(\d+)/.exec(version) ?? [];
  const [oldestMajor, oldestMinor] = version.includes('MariaDB') ? OLDEST.mariadb : OLDEST.mysql;
  return Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor);
}

const refused = (what: string, hint: string): EdgeError =>
  new EdgeError('settings_invalid', `The database server of --store ${what}`, { hint });
