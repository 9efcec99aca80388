import { z } from 'zod';
import { CATALOGUE } from '../domain/errors.ts';
import { ROUTES } from './contract.ts';
import type { Route } from './route.ts';
import { PAGE_HEADER, SESSION_COOKIE } from './session-cookie.ts';
import { errorReplySchema } from './shapes.ts';

type JsonObject = { readonly [key: string]: unknown };

/** The contract as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1). `version` of Edge. */
export function openApi(version: string): JsonObject {
  const schemas = new Map<string, unknown>();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(name, route, schemas) };
  }
  const error = schemaOf(errorReplySchema, 'output', schemas);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Edge',
      version,
      description: `Errors have one of the codes ${Object.keys(CATALOGUE).join(', ')}.`,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: Object.fromEntries(schemas),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' }, session: SESSION },
      responses: { error: { description: 'What is wrong and what to do', ...jsonContent(error) } },
    },
  };
}

const SESSION = {
  ...{ type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
  description: `Of a browser that has signed in. What is no GET needs the header \`${PAGE_HEADER}\` beside it.`,
};

const BYTES = { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };

const jsonContent = (schema: unknown) => ({ content: { 'application/json': { schema } } });

function operationOf(name: string, route: Route, schemas: Map<string, unknown>): JsonObject {
  const { permission, summary, stream, body } = route;
  const answer = schemaOf(route.response, 'output', schemas);
  const content =
    route.bytes === 'answer'
      ? BYTES
      : stream
        ? { content: { 'text/event-stream': { schema: answer } } }
        : jsonContent(answer);
  const what = stream ? 'Server-sent events; the data of each is JSON of this schema' : 'As asked';
  return {
    operationId: name,
    summary,
    ...(permission === 'public'
      ? { security: [] }
      : { security: [{ token: [] }, { session: [] }], 'x-permission': permission }),
    parameters: [
      ...parametersOf('path', route.params, schemas),
      ...parametersOf('query', route.query, schemas),
      ...(stream?.resumes ? [LAST_EVENT_ID] : []),
    ],
    ...(body && { requestBody: { required: true, ...jsonContent(schemaOf(body, 'input', schemas)) } }),
    ...(route.bytes === 'sent' && { requestBody: { required: true, ...BYTES } }),
    responses: { 200: { description: what, ...content }, default: { $ref: '#/components/responses/error' } },
  };
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  description: 'Goes on after the message with this id.',
  schema: { type: 'string' },
};

function parametersOf(
  place: 'path' | 'query',
  shape: z.ZodObject | undefined,
  schemas: Map<string, unknown>,
): readonly JsonObject[] {
  if (!shape) return [];
  const { properties = {}, required = [] } = schemaOf(shape, 'input', schemas);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema,
  }));
}

type Made = { readonly properties?: JsonObject; readonly required?: readonly string[] } & JsonObject;

/** A schema with its named parts moved to the components of the document. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Map<string, unknown>): Made {
  const { $schema: _, ...made } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' });
  const { $defs = {}, ...rest } = withComponents(made) as Made & { $defs?: JsonObject };
  for (const [name, part] of Object.entries($defs)) schemas.set(name, part);
  return rest;
}

/** References into `$defs` of one schema, as references into the document. */
function withComponents(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withComponents);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    if (key === '$ref' && typeof item === 'string')
      return [key, item.replace('#/$defs/', '#/components/schemas/')];
    return [key, withComponents(item)];
  });
  return Object.fromEntries(entries);
}
