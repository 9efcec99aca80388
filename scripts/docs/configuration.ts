// docs/schema/edge.schema.json and docs/reference/configuration.md: every field of the configuration, from its schemas.
import { configJsonSchema, type JsonSchema, schemaOfKind } from '../../src/config/json-schema.ts';
import { KIND_NAMES, type Kind } from '../../src/config/kinds.ts';
import type { Piece } from './piece.ts';

const HEAD = `# Configuration

Configuration is YAML 1.2. A file holds one document, or several with \`---\` between; \`kind\` says what a document is. What has
a default may be left out. Times are whole milliseconds. An amount is a count such as \`3\` or a share such as \`25%\`.
[examples/](../../examples/README.md) is a complete configuration.

For an editor that completes and checks, begin a file with
\`# yaml-language-server: $schema=docs/schema/edge.schema.json\` (a path or the address of that file).

This page is made from the schemas in \`src/domain/\`.
`;

export async function configuration(): Promise<readonly Piece[]> {
  return [
    { path: 'docs/schema/edge.schema.json', content: `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
    { path: 'docs/reference/configuration.md', content: `${HEAD}\n${KIND_NAMES.map(chapter).join('\n')}` },
  ];
}

function chapter(kind: Kind): string {
  const schema = schemaOfKind(kind);
  const rows = fieldsOf(schema, '').map(({ path, schema: field, required }) =>
    [`\`${path}\``, typeOf(field), defaultOf(field, required), field.description ?? ''].join(' | '),
  );
  const table = [
    '| field | type | default | meaning |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ];
  return `## ${kind}\n\n${schema.description ?? ''}\n\n${table.join('\n')}\n`;
}

type Field = { readonly path: string; readonly schema: JsonSchema; readonly required: boolean };

/** The fields of a schema and of what is inside of them, in the order in which they are declared. */
function fieldsOf(schema: JsonSchema, base: string): readonly Field[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = base === '' ? name : `${base}.${name}`;
    const required = (schema.required ?? []).includes(name);
    return [{ path, schema: field, required }, ...fieldsOf(field, path)];
  });
  const items = schema.items ? fieldsOf(schema.items, `${base}[]`) : [];
  const values =
    typeof schema.additionalProperties === 'object'
      ? fieldsOf(schema.additionalProperties, `${base}.<name>`)
      : [];
  return [...own, ...items, ...values, ...variantFields(schema, base)];
}

/** Fields of the variants of a value; what several of them share is told once. */
function variantFields(schema: JsonSchema, base: string): readonly Field[] {
  const all = (schema.anyOf ?? schema.oneOf ?? []).flatMap((variant) => {
    const name = nameOfVariant(variant);
    return fieldsOf(variant, name === undefined ? base : `${base}(${name})`);
  });
  const told = all.filter(({ path }) => !/\)\.(kind|from)$/.test(path));
  return [...new Map(told.map((field) => [field.path, field])).values()];
}

/** Variants of a value are told apart by a field with a name for each. */
function nameOfVariant({ properties }: JsonSchema): string | undefined {
  const name = properties?.kind?.const ?? properties?.from?.const;
  return name === undefined ? undefined : String(name);
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(', ');
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return [...new Set(variants.map((variant) => variantName(variant)))].join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
  if (schema.type === 'object') return schema.properties ? 'fields' : 'names and values';
  return bounded(schema);
}

function variantName(variant: JsonSchema): string {
  const name = nameOfVariant(variant);
  if (name !== undefined) return `\`${name}\``;
  return variant.pattern?.endsWith('%$') ? 'share' : typeOf(variant);
}

function bounded({ type, minimum, maximum }: JsonSchema): string {
  const name = type === 'string' ? 'text' : type === 'integer' ? 'number' : (type ?? 'anything');
  if (minimum === undefined || maximum === undefined || maximum >= 1_000_000) return name;
  return `${name}, ${minimum} to ${maximum}`;
}

function defaultOf({ default: value }: JsonSchema, required: boolean): string {
  if (value === undefined) return required ? '**needed**' : '';
  const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
  return isEmpty ? '' : `\`${JSON.stringify(value)}\``;
}
