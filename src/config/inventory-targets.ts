import type { Environment } from '../domain/environment.ts';
import type { Where } from '../domain/errors.ts';
import { composed } from '../domain/fields.ts';
import { type InventorySource, originOf } from '../domain/inventory.ts';
import { type TargetConfig, targetSchema, type WithTargets } from '../domain/project-environment.ts';
import { byName } from '../lib/name-order.ts';
import { fits } from '../lib/name-pattern.ts';
import type { InventoryRow, InventoryRows } from './inventory-rows.ts';
import { issuesOfTargets } from './issues.ts';
import { errorOf, type Problem, pathText } from './problem.ts';
import { checkTargets } from './target-references.ts';
import type { Path } from './yaml-text.ts';

export type InventoryPlace = {
  readonly source: InventorySource;
  readonly environment: Environment;
  readonly floors: WithTargets['floors'];
};

/**
 * The targets that the rows of an inventory are, by name: equal sets give equal plans, in whatever order they were told. Each
 * is checked as a target that stands in a document. Throws `inventory_invalid` with every row that is wrong, or where there are
 * fewer or more of them than there may be; then nothing of it is used.
 */
export function targetsOf(
  { rows, problems }: InventoryRows,
  { source, environment, floors }: InventoryPlace,
): readonly TargetConfig[] {
  refuse(
    source,
    problems.map((each) => ({ ...each, where: { ...fileOf(source), ...each.where } })),
  );
  const chosen = rows.filter(({ value }) => isChosen(nameOf(value), source));
  refuse(source, outOfBounds(source, { chosen: chosen.length, rows: rows.length }));
  const issuesOf = issuesOfTargets();
  const read = chosen.map((row) => readRow(row, source, issuesOf));
  refuse(
    source,
    read.flatMap((each) => each.problems),
  );
  const targets = read.flatMap(({ target }) => target ?? []);
  const ofTarget = (index: number, path: Path) => whereOf(chosen[index], source, path);
  const ofFloor = (pool: string): Where => ({ path: `floors.${pool}` });
  const found = checkTargets({ targets, floors }, environment, { ofTarget, ofFloor });
  refuse(source, found);
  return targets.toSorted(byName);
}

function refuse(source: InventorySource, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const origin = originOf(source);
  throw errorOf(
    problems.map(({ message, where, hint }) => ({
      code: 'inventory_invalid',
      message: `${origin}: ${clipped(message)}`,
      where,
      hint,
    })),
  );
}

const fileOf = (source: InventorySource): Where => (source.from === 'file' ? { file: source.path } : {});

const MOST_LETTERS = 240;
const clipped = (text: string): string =>
  text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;

const nameOf = (value: unknown): string | undefined => {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  return typeof name === 'string' ? name : undefined;
};

/** What has no name is chosen, so that it is refused. */
function isChosen(name: string | undefined, { select, exclude }: InventorySource): boolean {
  if (name === undefined) return true;
  const isOf = (patterns: readonly string[]) => patterns.some((pattern) => fits(pattern, name));
  return (select === undefined || isOf(select)) && (exclude === undefined || !isOf(exclude));
}

function outOfBounds(
  { min, max }: InventorySource,
  { chosen, rows }: { readonly chosen: number; readonly rows: number },
): readonly Problem[] {
  if (chosen >= min && chosen <= max) return [];
  const of = rows === chosen ? '' : `, of ${rows} that it lists`;
  const bound = chosen < min ? `at least ${min}` : `at most ${max}`;
  return [
    {
      code: 'inventory_invalid',
      message: `it gives ${chosen} ${chosen === 1 ? 'target' : 'targets'}${of}, where ${bound} are expected`,
      where: { path: chosen < min ? 'targets.min' : 'targets.max' },
      hint: 'Look at what it reads; if that is right, change `min` or `max` of the inventory.',
    },
  ];
}

/** More than any target has: what has thousands would keep the server busy. */
const MOST_FIELDS = 100;
const fieldsIn = (value: unknown): number => {
  if (!isFields(value)) return 0;
  return Math.max(Object.keys(value).length, isFields(value.env) ? Object.keys(value.env).length : 0);
};

type Read = { readonly target?: TargetConfig; readonly problems: readonly Problem[] };

function readRow(
  row: InventoryRow,
  source: InventorySource,
  issuesOf: ReturnType<typeof issuesOfTargets>,
): Read {
  const problem = (path: Path, message: string, hint = row.hint): Problem => ({
    code: 'inventory_invalid',
    message: `${row.at}: ${message}`,
    where: whereOf(row, source, path),
    hint,
  });
  if (fieldsIn(row.value) > MOST_FIELDS)
    return { problems: [problem([], `it has more than ${MOST_FIELDS} fields`)] };
  const said = withoutNothing(row.value);
  const { value, missing } = withDefaults(said, source);
  const refused = forbidden(said, source).map(({ path, message }) => problem(path, message));
  const parsed = targetSchema.safeParse(value);
  if (parsed.success && refused.length === 0 && missing === undefined)
    return { target: parsed.data, problems: [] };
  const issues = parsed.success ? [] : issuesOf(parsed.error.issues);
  return {
    problems: [
      ...issues.map(({ path, key, message, hint }) =>
        problem(key === undefined ? path : [...path, key], message, row.hint ?? hint),
      ),
      ...refused,
      ...(missing === undefined ? [] : [problem(['member'], missing)]),
    ],
  };
}

function whereOf(row: InventoryRow | undefined, source: InventorySource, path: Path): Where {
  const name = nameOf(row?.value);
  const text = clipped(pathText(path));
  return {
    ...fileOf(source),
    ...(source.from === 'file' && row?.line !== undefined && { line: row.line }),
    ...(text !== '' && { path: text }),
    ...(name !== undefined && name.length <= 63 && { target: name }),
  };
}

/** What whoever writes the inventory must not decide, since others than those who may change the configuration do. */
function forbidden(
  value: unknown,
  { from }: InventorySource,
): readonly { readonly path: Path; readonly message: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const env = 'env' in value && typeof value.env === 'object' && value.env !== null ? value.env : {};
  const secrets = Object.entries(env).filter(([, each]) => typeof each === 'object');
  return [
    ...secrets.map(([name]) => ({
      path: ['env', name],
      message: 'env: an inventory names no secrets; those of `defaults` are for all of its targets',
    })),
    ...('hostKey' in value && from === 'http'
      ? [
          {
            path: ['hostKey'],
            message: 'hostKey: an answer over HTTP does not vouch for the hosts that it names',
          },
        ]
      : []),
  ];
}

type Completed = { readonly value: unknown; readonly missing?: string };

/** A row says more than the inventory's own settings, and those of its zones more than the defaults. */
function withDefaults(value: unknown, source: InventorySource): Completed {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value };
  const { defaults = {} } = source;
  const name = nameOf(value);
  const zone = name === undefined ? undefined : zoneOf(name, source);
  const { address, member, env, ...usual } = { address: undefined, member: undefined, ...defaults };
  const at = address === undefined ? undefined : composed(address, { name });
  const own: Fields = { ...value };
  const whole: Fields = {
    ...usual,
    ...(zone !== undefined && { zone }),
    ...(at !== undefined && { address: at }),
    ...own,
    ...(env !== undefined && { env: { ...env, ...(isFields(own.env) ? own.env : {}) } }),
  };
  if (member === undefined || 'member' in own || 'members' in own) return { value: whole };
  const text = composed(member, { name, ...wordsOf(whole, 'address', 'port', 'zone') });
  if (text === undefined)
    return { value: whole, missing: `member: ${member} needs what is not known of this target` };
  return { value: { ...whole, member: text } };
}

type Fields = { readonly [name: string]: unknown };
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

/** A `null` says nothing, as an empty cell does; neither among the fields of a row nor among its variables. */
function withoutNothing(row: unknown): unknown {
  if (!isFields(row) || Array.isArray(row)) return row;
  const said = Object.entries(row).filter(([, each]) => each !== null);
  return Object.fromEntries(said.map(([name, each]) => [name, name === 'env' ? withoutNothing(each) : each]));
}

function zoneOf(name: string, { zones = {} }: InventorySource): string | undefined {
  return Object.entries(zones).find(([, patterns]) => patterns.some((pattern) => fits(pattern, name)))?.[0];
}

function wordsOf(fields: Fields, ...names: readonly string[]): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    names.flatMap((name): [string, string | number][] => {
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
      return typeof value === 'string' || typeof value === 'number' ? [[name, value]] : [];
    }),
  );
}
