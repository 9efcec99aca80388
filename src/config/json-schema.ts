import { z } from 'zod';
import { KIND_NAMES, KINDS, type Kind } from './kinds.ts';
import type { Path } from './yaml-text.ts';

/** A JSON Schema (draft 2020-12), or a part of one. */
export type JsonSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
};

/** The JSON Schema of one kind, as people write it: what has a default may be left out. */
export function schemaOfKind(kind: Kind): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(KINDS[kind], { io: 'input', target: 'draft-2020-12' });
  return schema as JsonSchema;
}

/** The JSON Schema of a configuration file, for editors and other tools. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration of Edge',
    description: 'A document of a configuration file: its `kind` says what the rest of it means.',
    type: 'object',
    required: ['kind'],
    properties: { kind: { enum: KIND_NAMES } },
    // One branch at a time, so that an editor completes and complains by the kind that is written.
    allOf: KIND_NAMES.map((kind) => ({
      if: { properties: { kind: { const: kind } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: `#/$defs/${kind}` },
    })),
    $defs: Object.fromEntries(KIND_NAMES.map((kind) => [kind, schemaOfKind(kind)])),
  };
}

/** The names of the fields that an object at a path of a document may have. The schema is made once, when it is needed. */
export function fieldsOf(kind: Kind): (path: Path) => readonly string[] {
  let schema: JsonSchema | undefined;
  const known = new Map<string, readonly string[]>();
  return (path) => {
    const key = path.map((segment) => (typeof segment === 'number' ? '' : String(segment))).join('\n');
    schema ??= schemaOfKind(kind);
    const fields = known.get(key) ?? fieldsIn(schema, path);
    known.set(key, fields);
    return fields;
  };
}

function fieldsIn(schema: JsonSchema, path: Path): readonly string[] {
  const found = path.reduce<readonly JsonSchema[]>(
    (schemas, segment) => schemas.flatMap((each) => childrenOf(each, segment)),
    variantsOf(schema),
  );
  return [...new Set(found.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function childrenOf(schema: JsonSchema, segment: PropertyKey): readonly JsonSchema[] {
  const { properties, items, additionalProperties } = schema;
  const rest = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const child = typeof segment === 'number' ? items : (properties?.[String(segment)] ?? rest);
  return child ? variantsOf(child) : [];
}

export function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  const variants = schema.anyOf ?? schema.oneOf;
  return variants ? variants.flatMap(variantsOf) : [schema];
}
