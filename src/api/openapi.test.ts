import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ROUTES } from './contract.ts';
import { openApi } from './openapi.ts';
import type { Route } from './route.ts';

type Node = { readonly [key: string]: unknown };
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

const document = openApi('1.2.3');

/** Every object of a document, with the path to it. */
function* nodes(value: unknown, path = '#'): Generator<readonly [string, Node]> {
  if (!isNode(value)) return;
  yield [path, value];
  for (const [key, item] of Object.entries(value)) yield* nodes(item, `${path}/${key}`);
}

function follow(reference: string): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>((node, key) => (isNode(node) ? node[key] : undefined), document);
}

const operations = Object.entries(document.paths as Node).flatMap(([path, methods]) =>
  Object.entries(methods as Node).map(([method, operation]) => ({
    path,
    method,
    operation: operation as Node,
  })),
);

describe('the OpenAPI document', () => {
  test('has one operation for each route, by its name', () => {
    const names = operations.map(({ operation }) => operation.operationId).sort();
    assert.deepEqual(names, Object.keys(ROUTES).sort());
  });

  test('every reference leads to something', () => {
    for (const [path, { $ref }] of nodes(document))
      if (typeof $ref === 'string') assert.ok(isNode(follow($ref)), `${path}: ${$ref}`);
  });

  test('declares exactly the parameters of each path, all required', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = operation.parameters as readonly Node[];
      const inPath = parameters.filter((parameter) => parameter.in === 'path');
      assert.deepEqual(
        inPath.map(({ name }) => name),
        named,
      );
      assert.ok(inPath.every(({ required }) => required === true));
    }
  });

  test('says of every operation what it needs, what it answers and how it fails', () => {
    for (const { operation } of operations) {
      const route: Route | undefined = ROUTES[operation.operationId as keyof typeof ROUTES];
      assert.equal(operation['x-permission'] ?? 'public', route?.permission);
      const responses = operation.responses as Record<string, Node>;
      assert.deepEqual(responses.default, { $ref: '#/components/responses/error' });
      const [type] = Object.keys(responses[200]?.content as Node);
      const plain = route?.bytes === 'answer' ? 'application/octet-stream' : 'application/json';
      assert.equal(type, route?.stream ? 'text/event-stream' : plain);
      const takesBody = route?.body !== undefined || route?.bytes === 'sent';
      assert.equal(operation.requestBody !== undefined, takesBody);
      assert.equal(typeof operation.summary, 'string');
    }
  });

  test('has no schema that says nothing where the contract says something', () => {
    const shapes = [...nodes(document)].filter(([path]) => /\/schema$/.test(path));
    for (const [path, schema] of shapes) assert.ok(Object.keys(schema).length > 0, path);
  });

  test('is plain JSON', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
  });
});

describe('the contract', () => {
  test('names of path, query and body never meet in one input', () => {
    for (const [name, route] of Object.entries<Route>(ROUTES)) {
      const names = [route.params, route.query, route.body].flatMap((part) => Object.keys(part?.shape ?? {}));
      assert.equal(new Set(names).size, names.length, name);
    }
  });

  test('parameters of a path are those of its schema', () => {
    for (const [name, { path, params }] of Object.entries<Route>(ROUTES)) {
      const named = [...path.matchAll(/:(\w+)/g)].map(([, parameter]) => parameter);
      assert.deepEqual(Object.keys(params?.shape ?? {}).sort(), named.sort(), name);
    }
  });
});
