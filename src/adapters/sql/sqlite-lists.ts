import type { List, Params, Value } from './operation.ts';

/** A longer list goes to `json_each` as one parameter, whose statement is the same for every length. */
const WRITTEN_OUT = 8;

/** A statement without lists, and what is bound to it. */
export type Written = { readonly sql: string; readonly values: readonly Value[] };

/**
 * Writes each list of `IN (?)` as so many question marks where it is short, which costs SQLite half of what a table-valued
 * function does; none is `IN ()`, which SQLite takes for false. No text of ours holds a question mark that is not a parameter.
 */
export function writeLists(sql: string, params: Params): Written {
  if (!params.some(isList)) return { sql, values: params as readonly Value[] };
  const parts = sql.split('?');
  const values: Value[] = [];
  let text = parts[0] ?? '';
  for (const [index, param] of params.entries()) {
    text += markOf(param) + (parts[index + 1] ?? '');
    if (!isList(param)) values.push(param);
    else if (param.length > WRITTEN_OUT) values.push(JSON.stringify(param));
    else values.push(...param);
  }
  return { sql: text, values };
}

function markOf(param: Value | List): string {
  if (!isList(param)) return '?';
  return param.length > WRITTEN_OUT ? 'SELECT value FROM json_each(?)' : (MARKS[param.length] ?? '');
}

const MARKS = Array.from({ length: WRITTEN_OUT + 1 }, (_, length) => Array(length).fill('?').join(', '));

const isList = (param: Value | List): param is List => typeof param === 'object' && param !== null;
