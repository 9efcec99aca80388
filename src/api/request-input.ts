import { z } from 'zod';
import { EdgeError, type ErrorBody } from '../domain/errors.ts';
import type { Route } from './route.ts';

/** What of a request is looked at. */
export type RawRequest = {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
};

/** At most so many mistakes are told at once. */
const MAX_TOLD = 50;

/**
 * A parser for the requests of a route: path, query and body, each by its schema, as one input. Throws `request_invalid` with
 * the path of the first field that is wrong, and all the others beside it.
 */
export function inputParser(route: Route): (request: RawRequest) => Record<string, unknown> {
  const toQuery = queryReader(route.query);
  return ({ params, query, body }) => {
    const issues: z.core.$ZodIssue[] = [];
    const parse = (schema: z.ZodObject | undefined, value: unknown): Record<string, unknown> => {
      const parsed = schema?.safeParse(value);
      if (parsed?.error) issues.push(...parsed.error.issues);
      return parsed?.data ?? {};
    };
    const input = {
      ...parse(route.params, params),
      ...parse(route.query, toQuery(query)),
      ...parse(route.body, body ?? {}),
    };
    refuse(issues);
    return input;
  };
}

function refuse(issues: readonly z.core.$ZodIssue[]): void {
  const [first, ...also] = issues.slice(0, MAX_TOLD).map(bodyOf);
  if (!first) return;
  throw new EdgeError('request_invalid', first.message, {
    ...(first.where && { where: first.where }),
    also,
  });
}

function bodyOf(issue: z.core.$ZodIssue): ErrorBody {
  const keys = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...issue.path, ...keys].join('.');
  const message = path === '' ? issue.message : `${path}: ${issue.message}`;
  return new EdgeError('request_invalid', message, path === '' ? {} : { where: { path } }).body;
}

type JsonSchema = { readonly properties?: Readonly<Record<string, { readonly type?: string }>> };

/** A query is all text: numbers and booleans are read as what the schema says they are, the rest is left to the schema. */
function queryReader(schema: z.ZodObject | undefined): (query: unknown) => unknown {
  const made = schema ? (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema) : {};
  const types = new Map(Object.entries(made.properties ?? {}).map(([name, { type }]) => [name, type]));
  const read = (name: string, value: unknown): unknown => {
    const type = types.get(name);
    if ((type === 'integer' || type === 'number') && typeof value === 'string' && value !== '')
      return Number(value);
    if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
    return value;
  };
  return (query) =>
    Object.fromEntries(Object.entries(query ?? {}).map(([name, value]) => [name, read(name, value)]));
}
