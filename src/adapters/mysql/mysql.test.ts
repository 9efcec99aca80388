import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseStoreAddress } from './address.ts';
import { isConflict, isLost, toEdgeError } from './mysql-error.ts';
import { faultOf } from './session.ts';
import { bind, insertsOf } from './statement.ts';

describe('the address of a store', () => {
  test('names user, host, port and database, and where the password is', () => {
    assert.deepEqual(
      parseStoreAddress('mysql://edge@db.example:3307/edge?password=file:/run/db&tls=verify'),
      {
        host: 'db.example',
        port: 3307,
        user: 'edge',
        database: 'edge',
        password: { source: 'file', name: '/run/db' },
        tls: 'verify',
        caFile: null,
      },
    );
    const { host, port, password, tls } = parseStoreAddress('mysql://a%40b@[::1]/edge');
    assert.deepEqual({ host, port, password, tls }, { host: '::1', port: 3306, password: null, tls: 'off' });
  });

  test('with a password in it is refused, and the password not repeated', () => {
    assert.throws(
      () => parseStoreAddress('mysql://edge:hunter2@db/edge'),
      (error: Error & { body: unknown }) =>
        /has a password/.test(error.message) && !JSON.stringify(error.body).includes('hunter2'),
    );
  });

  for (const wrong of [
    'edge.db',
    'postgres://edge@db/edge',
    'mysql://db/edge',
    'mysql://edge@db',
    'mysql://edge@db/a/b',
    'mysql://edge@db/edge?pasword=env:A',
    'mysql://edge@db/edge?password=hunter2',
    'mysql://edge@db/edge?tls=maybe',
  ]) {
    test(`"${wrong}" is refused`, () => {
      assert.throws(() => parseStoreAddress(wrong), { code: 'settings_invalid' });
    });
  }
});

describe('statements', () => {
  const valuesOf = ({ values }: { readonly values: readonly unknown[] }) =>
    values.map((one) =>
      typeof one === 'object' && one !== null && 'value' in one ? Number(one.value) : one,
    );

  test('a list becomes as many parameters as it is long, rounded up to a power of two', () => {
    const bound = bind('SELECT a FROM t WHERE b = ? AND c IN (?) LIMIT ?', ['x', ['k', 'l', 'm'], 5]);
    assert.equal(bound.sql, 'SELECT a FROM t WHERE b = ? AND c IN (?, ?, ?, ?) LIMIT ?');
    assert.deepEqual(valuesOf(bound), ['x', 'k', 'l', 'm', 'm', 5]);
    assert.equal(bind('c IN (?)', [['k']]).sql, 'c IN (?)');
  });

  test('of an empty list no value is one', () => {
    const bound = bind('c IN (?) AND b = ?', [[], 'x']);
    assert.equal(bound.sql, 'c IN (SELECT NULL FROM DUAL WHERE FALSE) AND b = ?');
    assert.deepEqual(valuesOf(bound), ['x']);
  });

  test('rows are added in lots of a few sizes, long ones in smaller lots', () => {
    const insert = { into: 'INSERT INTO t (a)', row: '(?)' };
    const lots = (rows: number, text: string): readonly number[] =>
      insertsOf(insert, Array(rows).fill([text])).map(({ values }) => values.length);
    assert.deepEqual(lots(100, 'x'), [64, 32, 4]);
    assert.deepEqual(lots(3, 'x'.repeat(3_000_000)), [1, 1, 1]);
  });
});

describe('a server', () => {
  const sound = {
    version: '10.11.6-MariaDB',
    innodb_flush_log_at_trx_commit: '1',
    log_bin: 'ON',
    sync_binlog: '1',
    binlog_format: 'ROW',
    read_only: 'OFF',
    max_allowed_packet: '67108864',
    tx_isolation: 'READ-COMMITTED',
  };
  const fault = (changes: Readonly<Record<string, string>>) =>
    faultOf(new Map(Object.entries({ ...sound, ...changes })), 'READ COMMITTED');

  test('that keeps what it acknowledges is accepted, MariaDB or MySQL', () => {
    assert.equal(fault({}), undefined);
    assert.equal(fault({ version: '8.0.36', transaction_isolation: 'READ-COMMITTED' }), undefined);
    assert.equal(fault({ version: '11.4.2-MariaDB-log' }), undefined);
    assert.equal(fault({ log_bin: 'OFF', sync_binlog: '0', binlog_format: 'STATEMENT' }), undefined);
  });

  for (const changes of [
    { version: '10.5.20-MariaDB' },
    { version: '5.7.44-log' },
    { innodb_flush_log_at_trx_commit: '0' },
    { sync_binlog: '1000' },
    { binlog_format: 'STATEMENT' },
    { read_only: 'ON' },
    { max_allowed_packet: '1048576' },
    { tx_isolation: 'REPEATABLE-READ' },
  ]) {
    const [name, value] = Object.entries(changes)[0] ?? [];
    test(`with ${name} = ${value} is refused`, () => {
      const error = fault(changes as unknown as Record<string, string>);
      assert.equal(error?.code, 'settings_invalid');
      assert.match(error?.message ?? '', new RegExp(`${value}`.replace(/[.]/g, '\\.')));
    });
  }
});

describe('errors of the driver', () => {
  const answered = (errno: number) =>
    Object.assign(new Error('it said so'), { errno, sqlState: 'HY000', code: 'ER_X' });
  const lost = Object.assign(new Error('gone'), { errno: -104, code: 'ECONNRESET' });

  test('tell an answer of the server from a connection that is lost', () => {
    assert.deepEqual([isConflict(answered(1213)), isLost(answered(1213))], [true, false]);
    assert.deepEqual([isConflict(answered(1927)), isLost(answered(1927))], [false, true]);
    assert.deepEqual([isConflict(lost), isLost(lost)], [false, true]);
  });

  test('are the world, with a hint, or a fault of ours', () => {
    assert.match(toEdgeError(lost, 'db:1').message, /db:1 does not answer: the connection was cut/);
    assert.match(toEdgeError(answered(1290), 'db:1').body.hint, /replica/);
    assert.equal(toEdgeError(answered(1064), 'db:1').code, 'internal');
  });
});
