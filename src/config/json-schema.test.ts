import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, type JsonSchema, schemaOfKind } from './json-schema.ts';
import { KIND_NAMES } from './kinds.ts';

/** Every field of a schema with its path. */
function allFields(schema: JsonSchema, base: string): readonly (readonly [string, JsonSchema])[] {
  const variants = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((variant) =>
    allFields(variant, base),
  );
  const items = schema.items ? allFields(schema.items, `${base}[]`) : [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    [`${base}.${name}`, field] as const,
    ...allFields(field, `${base}.${name}`),
  ]);
  return [...own, ...items, ...variants];
}

test('every field of the configuration is described', () => {
  const fields = KIND_NAMES.flatMap((kind) => allFields(schemaOfKind(kind), kind));
  const silent = fields.filter(([path, { description }]) => !description && !path.endsWith('.kind'));
  assert.deepEqual(
    silent.map(([path]) => path),
    [],
  );
});

test('fields that have a default may be left out', () => {
  assert.deepEqual(schemaOfKind('project').required, ['kind', 'name', 'folder']);
});

test('the fields at a path are found through lists, names and variants', () => {
  assert.ok(fieldsOf('project-environment')(['targets', 3]).includes('member'));
  assert.ok(fieldsOf('environment')(['balancers', 'lb']).includes('socket'));
  assert.ok(fieldsOf('project-environment')(['strategy', 'drain']).includes('timeoutMs'));
  assert.deepEqual(fieldsOf('project')(['name', 'x']), []);
});
