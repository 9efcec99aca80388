/** A cell of a row by the name of its column; empty where there is no such column. */
export type Field = (name: string) => string;

/** A pool of hundreds is read many times a second: where a column stands is looked up once for a table. */
export function readerOf(columns: readonly string[]): (row: readonly string[]) => Field {
  const places = new Map(columns.map((name, index) => [name, index]));
  return (row) => (name) => row[places.get(name) ?? -1] ?? '';
}

/** The rows of `show stat` for one backend; `undefined` if the reply is not such a table: then it is the text of an error. */
export function statRows(reply: string, backend: string): readonly Field[] | undefined {
  const [head, ...rows] = reply.split('\n');
  if (!head?.startsWith('# pxname,')) return undefined;
  const reader = readerOf(head.slice(2).split(','));
  return rows.map((row) => reader(csvCells(row))).filter((field) => field('pxname') === backend);
}

/** Texts of checks may hold commas, and are in quotes then. Most rows have none: to split those is many times quicker. */
function csvCells(row: string): readonly string[] {
  if (!row.includes('"')) return row.split(',');
  const found = row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g);
  return Array.from(found, ([, quoted, plain]) => quoted ?? plain ?? '');
}
