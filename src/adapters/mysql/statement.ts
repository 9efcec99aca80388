import mysql, { type TypedParameterValue } from 'mysql2';
import type { Insert, List, Params, Row, Value } from '../sql/operation.ts';

/** A prepared statement and what is bound to it. */
export type Bound = {
  readonly sql: string;
  readonly values: readonly (string | null | TypedParameterValue)[];
};

/** Rows that one INSERT adds at most; and so many characters of them, well below the smallest packet that we accept. */
const ROWS_AT_ONCE = 64;
const TEXT_AT_ONCE = 4_000_000;

/** Of no value; `IN (NULL)` would make NOT IN unknown instead of true. */
const NOTHING = 'SELECT NULL FROM DUAL WHERE FALSE';

/**
 * Writes a list as so many question marks, rounded up to a power of two by repeating its last value, so that a connection
 * keeps few prepared statements. No text of ours holds a question mark that is not a parameter.
 */
export function bind(sql: string, params: Params): Bound {
  const parts = sql.split('?');
  const values: Value[] = [];
  const marks = params.map((param) => {
    if (!isList(param)) {
      values.push(param);
      return '?';
    }
    if (param.length === 0) return NOTHING;
    const padded = pad(param);
    values.push(...padded);
    return Array(padded.length).fill('?').join(', ');
  });
  const text = parts.map((part, index) => part + (index < parts.length - 1 ? (marks[index] ?? '?') : ''));
  return { sql: text.join(''), values: values.map(typed) };
}

/** The statements that add these rows: many with one where they are short, in few sizes. */
export function insertsOf({ into, row, end = '' }: Insert, rows: readonly Row[]): readonly Bound[] {
  const statements: Bound[] = [];
  for (let from = 0; from < rows.length; ) {
    const count = countFrom(rows, from);
    const values = rows.slice(from, from + count).flatMap((one) => one.map(typed));
    statements.push({ sql: `${into} VALUES ${Array(count).fill(row).join(', ')} ${end}`, values });
    from += count;
  }
  return statements;
}

/** The greatest power of two of rows that are there and not too long. */
function countFrom(rows: readonly Row[], from: number): number {
  let count = 1;
  while (count < ROWS_AT_ONCE && from + count * 2 <= rows.length) {
    const text = rows.slice(from, from + count * 2).reduce((sum, row) => sum + lengthOf(row), 0);
    if (text > TEXT_AT_ONCE) break;
    count *= 2;
  }
  return count;
}

const lengthOf = (row: Row): number =>
  row.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 8), 0);

/** A whole number is a BIGINT: as a double, which the driver would send, it may not be a LIMIT. */
const typed = (value: Value): string | null | TypedParameterValue =>
  typeof value !== 'number'
    ? value
    : Number.isInteger(value)
      ? mysql.TypedParameter.BIGINT(value)
      : mysql.TypedParameter.DOUBLE(value);

const isList = (value: Value | List): value is List => typeof value === 'object' && value !== null;

function pad(list: List): List {
  const last = list.at(-1) ?? '';
  const size = 2 ** Math.ceil(Math.log2(list.length));
  return [...list, ...Array<string | number>(size - list.length).fill(last)];
}
