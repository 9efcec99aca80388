import type { RecordKind } from '../../domain/records.ts';
import type { Applied, Kept, RecordChange } from '../../ports/records.ts';
import { parse } from './json.ts';
import { all, first, type Operation, run, type Scope } from './operation.ts';

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

/** `Records.apply`. All versions are compared before the first write. */
export function* applyRecords(scope: Scope, changes: readonly RecordChange[]): Operation<Applied> {
  for (const { kind, key, expected } of changes) {
    if (expected === undefined) continue;
    const row = yield* first<{ version: number }>(
      `SELECT version FROM records WHERE kind = ? AND name = ? AND value IS NOT NULL ${scope.dialect.forUpdate}`,
      kind,
      key,
    );
    if ((row?.version ?? 0) !== expected) return { kind: 'conflict', key };
  }
  for (const change of changes) yield* write(scope, change);
  return { kind: 'applied' };
}

/** What is removed keeps its row, so that versions go on counting: an old version never fits a new record. */
function* write(scope: Scope, { kind, key, value }: RecordChange): Operation<void> {
  const { insertIgnore } = scope.dialect;
  yield* run(`${insertIgnore} records (kind, name, version, at, value) VALUES (?, ?, 0, 0, NULL)`, kind, key);
  yield* run(
    'UPDATE records SET version = version + 1, at = ?, value = ? WHERE kind = ? AND name = ?',
    scope.now,
    value === null ? null : JSON.stringify(value),
    kind,
    key,
  );
}
