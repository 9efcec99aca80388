import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillQuery } from './metric-query.ts';

const HOSTILE = 'a"b\\c\nd* OR /x/\u2028{{server}}';

const put = (template: unknown, server = HOSTILE) =>
  fillQuery(
    typeof template === 'string' ? template : JSON.stringify(template),
    { server, windowMs: 300_000 },
    'query-dsl',
  );

function filled(template: unknown): unknown {
  const result = put(template);
  assert.equal(result.kind, 'filled', JSON.stringify(result));
  return result.kind === 'filled' ? JSON.parse(result.text) : undefined;
}

function refused(template: unknown, says: RegExp): void {
  const result = put(template, 'a');
  assert.ok(result.kind === 'refused', JSON.stringify(result));
  assert.match(String(result.problems.map(({ message }) => message)), says);
}

const queryWith = (one: unknown) => ({ query: { bool: { filter: [{ range: { '}"': 1 } }, one] } } });

test('a value stands in a term letter by letter', () => {
  for (const make of [
    (server: string) => ({ term: { server } }),
    (server: string) => ({ term: { server: { value: server, boost: 1 } } }),
    (server: string) => ({ terms: { server: ['a', server, 'b'] } }),
    (server: string) => ({ term: { server: `https://${server}/` } }),
  ])
    assert.deepEqual(filled(queryWith(make('{{server}}'))), queryWith(make(HOSTILE)));
});

test('a value stands nowhere where a text has a language of its own, is taken apart, or names something', () => {
  for (const one of [
    { query_string: { query: 'server:{{server}}' } },
    { wildcard: { server: '{{server}}' } },
    { wildcard: { server: { value: '{{server}}' } } },
    { regexp: { server: { value: '{{server}}' } } },
    { match: { server: '{{server}}' } },
    { prefix: { server: '{{server}}' } },
    { script: { script: { source: "doc['{{server}}']" } } },
    { terms: { field: '{{server}}' } },
    { terms: { field: 'server', include: '{{server}}' } },
    { aggs: { term: { filter: { query_string: { query: '{{server}}' } } } } },
    { aggs: { term: { query_string: { query: '{{server}}' } } } },
  ])
    refused(queryWith(one), /has to stand in a term/);
  refused({ term: { '{{server}}': 1 } }, /in place of a name/);
});

test('a window stands in any text', () => {
  const aggregation = { moving_fn: { window: '{{window}}' } };
  assert.deepEqual(filled(aggregation), { moving_fn: { window: '300s' } });
});

test('nothing stands outside of texts or behind a backslash', () => {
  refused('{"term":{"server":{{server}}}}', /has to stand in quotes/);
  refused('{"size":{{window}}}', /has to stand in quotes/);
  refused('{"term":{"server":"\\{{server}}"}}', /stands behind a backslash/);
});
