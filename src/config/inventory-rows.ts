import { CsvError, parse } from 'csv-parse/sync';
import type { TextFormat } from '../domain/inventory.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml-text.ts';

/**
 * What an inventory says of one host, before anybody has looked at it. `at` names it for people, `line` where there is one;
 * `hint` is what to do where it is not enough.
 */
export type InventoryRow = {
  readonly value: unknown;
  readonly at: string;
  readonly line?: number;
  readonly hint?: string;
};

export type InventoryRows = { readonly rows: readonly InventoryRow[]; readonly problems: readonly Problem[] };

/** More of them are not read. */
export const MOST_ROWS = 100_000;

/** About 1,000 targets. Nothing else is done meanwhile, and what 10,000 take in JSON is 5 ms, in YAML 1,500. */
const MOST_YAML = 100 * 1_024;

const invalid = (message: string, line?: number): Problem => ({
  ...{ code: 'inventory_invalid', message },
  where: { ...(line !== undefined && { line }) },
});
const refused = (message: string, line?: number): InventoryRows => ({
  rows: [],
  problems: [invalid(message, line)],
});

/** The rows of a text, or what is wrong with it. `group` is of Ansible. Never throws. */
export function rowsOf(
  written: string,
  { format, group }: { readonly format: TextFormat; readonly group?: string },
): InventoryRows {
  const text = written.replace(/^\uFEFF/, '');
  switch (format) {
    case 'csv':
      return csvRows(text);
    case 'yaml':
      return yamlRows(text);
    case 'json':
      return withJson(text, listed);
    case 'ansible':
      return withJson(text, (value) => ansibleRows(value, group));
    default:
      return format satisfies never;
  }
}

/** What an inventory writes if nobody has said it: rows, or a mapping, of JSON, and CSV else. */
export const formatOf = (text: string): TextFormat => (/^\uFEFF?\s*[[{]/.test(text) ? 'json' : 'csv');

function withJson(text: string, read: (value: unknown) => InventoryRows): InventoryRows {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser says quotes the text, and nobody knows what is in it.
    return refused('It is not valid JSON');
  }
  return read(value);
}

function listed(value: unknown): InventoryRows {
  if (!Array.isArray(value)) return refused('It is not a list of targets');
  if (value.length > MOST_ROWS) return refused(`It has more than ${MOST_ROWS} targets`);
  return { rows: value.map((each, index) => ({ value: each, at: `target ${index + 1}` })), problems: [] };
}

function yamlRows(text: string): InventoryRows {
  if (text.length > MOST_YAML) {
    const message = `It is YAML of more than ${MOST_YAML / 1_024} KB`;
    return {
      rows: [],
      problems: [{ ...invalid(message), hint: 'Write it as CSV or JSON, which are read at once.' }],
    };
  }
  const { documents, problems } = readYaml(text);
  const [problem] = problems;
  if (problem) return refused(problem.message, problem.place.line);
  const [document, ...others] = documents;
  if (others.length > 0) return refused('It has more than one document', others[0]?.placeOf([]).line);
  const { rows, problems: found } = listed(document?.value ?? []);
  return {
    rows: rows.map((row, index) => {
      const line = document?.placeOf([index]).line;
      return { ...row, ...(line !== undefined && { line }) };
    }),
    problems: found,
  };
}

/** Columns whose values are numbers. */
const NUMBERS: ReadonlySet<string> = new Set(['port', 'sshPort']);

type CsvRecord = { readonly record: readonly string[]; readonly info: { readonly lines: number } };

/** RFC 4180 with a header row. An empty cell says nothing; `env.NAME` is a variable. */
function csvRows(text: string): InventoryRows {
  let records: readonly CsvRecord[];
  try {
    records = parse(text, {
      ...{ info: true, skip_empty_lines: true, trim: true, to: MOST_ROWS + 2 },
      max_record_size: 65_536,
    }) as unknown as readonly CsvRecord[];
  } catch (thrown) {
    return refused(csvFault(thrown), lineOf(thrown));
  }
  const [head, ...rows] = records;
  if (!head) return { rows: [], problems: [] };
  const columns = head.record;
  const twice = columns.find((name, index) => columns.indexOf(name) < index);
  if (twice !== undefined) return refused(`The column ${shown(twice)} is there twice`, 1);
  if (!columns.includes('name'))
    return refused('The first row does not name the columns: none of them is "name"', 1);
  if (rows.length > MOST_ROWS) return refused(`It has more than ${MOST_ROWS} rows`);
  return {
    rows: rows.map(({ record, info }) => ({
      value: rowOf(columns, record),
      ...{ at: `line ${info.lines}`, line: info.lines },
    })),
    problems: [],
  };
}

function rowOf(columns: readonly string[], cells: readonly string[]): unknown {
  const said = columns.flatMap((column, index): [string, string][] => {
    const cell = cells[index] ?? '';
    return cell === '' ? [] : [[column, cell]];
  });
  const fields = said.filter(([column]) => !column.startsWith('env.'));
  const env = said.filter(([column]) => column.startsWith('env.'));
  return Object.fromEntries([
    ...fields.map(([column, cell]) => [column, NUMBERS.has(column) ? numberOf(cell) : cell]),
    ...(env.length > 0
      ? [['env', Object.fromEntries(env.map(([name, cell]) => [name.slice(4), cell]))]]
      : []),
  ]);
}

/** What is no number stays what it is, and is refused as any other field of a wrong kind. */
const numberOf = (cell: string): number | string => (/^\d{1,6}$/.test(cell) ? Number(cell) : cell);

const CSV_FAULTS: Readonly<{ [code: string]: string }> = {
  CSV_RECORD_INCONSISTENT_FIELDS_LENGTH: 'The row has another number of cells than the first one',
  CSV_QUOTE_NOT_CLOSED: 'A quoted cell has no end',
  CSV_MAX_RECORD_SIZE: 'The row is too long',
};

function csvFault(thrown: unknown): string {
  return (thrown instanceof CsvError ? CSV_FAULTS[thrown.code] : undefined) ?? 'It is not valid CSV';
}

function lineOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof CsvError)) return undefined;
  const { lines } = thrown as { readonly lines?: unknown };
  return typeof lines === 'number' ? lines : undefined;
}

/** A column as it may stand in an error: a file that is no inventory may begin with anything. */
export const shown = (name: string): string =>
  /^[\w.-]{1,40}$/.test(name) ? `"${name}"` : 'with a name that no field has';

type Json = { readonly [name: string]: unknown };
const isMapping = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const fieldOf = (value: unknown, name: string): unknown =>
  isMapping(value) && Object.hasOwn(value, name) ? value[name] : undefined;
const namesIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

/** What `ansible-inventory --list` prints: groups with `hosts` and `children`, and `_meta.hostvars`. */
function ansibleRows(value: unknown, group: string | undefined): InventoryRows {
  const hostvars = fieldOf(fieldOf(value, '_meta'), 'hostvars');
  if (!isMapping(value) || !isMapping(hostvars))
    return refused('It has no `_meta.hostvars`, as `ansible-inventory --list` prints it');
  if (group !== undefined && !Object.hasOwn(value, group)) return refused(`It has no group ${shown(group)}`);
  const names = group === undefined ? allHosts(value, hostvars) : hostsIn(value, group);
  return listed(names.map((name) => hostOf(name, fieldOf(hostvars, name))));
}

function allHosts(groups: Json, hostvars: Json): readonly string[] {
  const named = Object.keys(groups).flatMap((group) => namesIn(fieldOf(groups[group], 'hosts')));
  return [...new Set([...Object.keys(hostvars), ...named])];
}

function hostsIn(groups: Json, group: string): readonly string[] {
  const [seen, hosts, open] = [new Set<string>(), new Set<string>(), [group]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const found = Object.hasOwn(groups, next) ? groups[next] : undefined;
    for (const host of namesIn(fieldOf(found, 'hosts'))) hosts.add(host);
    open.push(...namesIn(fieldOf(found, 'children')));
  }
  return [...hosts];
}

/** `edge_zone`, `edge_port` and `edge_member` say what Ansible has no word for. */
function hostOf(name: string, vars: unknown): Json {
  const said = {
    address: fieldOf(vars, 'ansible_host') ?? name,
    sshPort: fieldOf(vars, 'ansible_port'),
    zone: fieldOf(vars, 'edge_zone'),
    port: fieldOf(vars, 'edge_port'),
    member: fieldOf(vars, 'edge_member'),
  };
  const known = Object.entries(said).filter(([, value]) => value !== undefined);
  return { name, ...Object.fromEntries(known) };
}
