import type { RecordKind, RecordVersion } from '../../domain/records.ts';
import type { Applied, Kept, RecordChange } from '../../ports/records.ts';
import { parse } from './json.ts';
import { all, each, first, type Operation, run, type Scope } from './operation.ts';

type Row = { readonly name: string; readonly version: number; readonly at: number; readonly value: string };

const SELECT = 'SELECT name, version, at, value FROM records WHERE value IS NOT NULL AND kind = ?';

/** Sorts after every other character, so that a prefix is a range of the key. */
const LAST_CHARACTER = '\u{10FFFF}';

/** `Records.get`. */
export function* getRecord<K extends RecordKind>(
  _scope: Scope,
  kind: K,
  key: string,
): Operation<Kept<K> | null> {
  const row = yield* first<Row>(`${SELECT} AND name = ?`, kind, key);
  return row ? toKept<K>(row) : null;
}

/** `Records.list`. */
export function* listRecords<K extends RecordKind>(
  _scope: Scope,
  kind: K,
  prefix: string,
): Operation<readonly Kept<K>[]> {
  const rows = yield* all<Row>(
    `${SELECT} AND name >= ? AND name < ? ORDER BY name`,
    kind,
    prefix,
    prefix + LAST_CHARACTER,
  );
  return rows.map((row) => toKept<K>(row));
}

const toKept = <K extends RecordKind>({ name, version, at, value }: Row): Kept<K> => ({
  key: name,
  version,
  at,
  value: parse(value),
});

/** `Records.apply`. All versions are compared before the first write, and all rows locked in one order for all callers. */
export function* applyRecords(scope: Scope, changes: readonly RecordChange[]): Operation<Applied> {
  const ordered = changes.toSorted(byKey);
  for (const change of ordered) {
    const version = yield* lockRecord(scope, change);
    if (change.expected === undefined || change.expected === version) continue;
    yield* each(
      'DELETE FROM records WHERE kind = ? AND name = ? AND version = 0',
      ordered.map(({ kind, key }) => [kind, key]),
    );
    return { kind: 'conflict', key: change.key };
  }
  yield* each(
    'UPDATE records SET version = version + 1, at = ?, value = ? WHERE kind = ? AND name = ?',
    ordered.map(({ kind, key, value }) => [
      scope.now,
      value === null ? null : JSON.stringify(value),
      kind,
      key,
    ]),
  );
  return { kind: 'applied' };
}

const byKey = (a: RecordChange, b: RecordChange): number => {
  const [left, right] = [`${a.kind} ${a.key}`, `${b.kind} ${b.key}`];
  return left === right ? 0 : left < right ? -1 : 1;
};

/**
 * The version of a record, 0 of one that is not there. What is removed keeps its row, so that versions go on counting: an old
 * version never fits a new record. A record that is about to be gets such a row too, since only a row can be locked.
 */
function* lockRecord({ dialect }: Scope, { kind, key }: RecordChange): Operation<number> {
  const orIgnore = dialect.orIgnore(['kind', 'name']);
  yield* run(
    `INSERT INTO records (kind, name, version, at, value) VALUES (?, ?, 0, 0, NULL) ${orIgnore}`,
    kind,
    key,
  );
  const row = yield* first<{ version: number; removed: number }>(
    `SELECT version, value IS NULL AS removed FROM records WHERE kind = ? AND name = ? ${dialect.forUpdate}`,
    kind,
    key,
  );
  return row && row.removed === 0 ? row.version : 0;
}

/** Those that have another version by now, or are gone; the others stay as they are until the transaction ends. */
export function* changedRecords(
  { dialect }: Scope,
  read: readonly RecordVersion[],
): Operation<readonly RecordVersion[]> {
  const versions = new Map<string, number>();
  for (const kind of [...new Set(read.map((one) => one.kind))].toSorted()) {
    const names = read.filter((one) => one.kind === kind).map(({ key }) => key);
    const rows = yield* all<Pick<Row, 'name' | 'version'>>(
      `SELECT name, version FROM records WHERE kind = ? AND name IN (?) AND value IS NOT NULL
       ORDER BY name ${dialect.forUpdate}`,
      kind,
      names,
    );
    for (const { name, version } of rows) versions.set(`${kind} ${name}`, version);
  }
  return read.filter(({ kind, key, version }) => versions.get(`${kind} ${key}`) !== version);
}
