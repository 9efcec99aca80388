import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillQuery } from './metric-query.ts';

const VALUES = { server: 'web-1.example', version: '1.4.0', zone: 'a', windowMs: 300_000 };
const fill = (template: string, values = VALUES) => fillQuery(template, values, 'datadog');

test('a value is that of a tag, and a window a number of seconds', () => {
  assert.deepEqual(
    fill('sum:errors{host:{{server}},zone:{{zone}}} by {host}.as_count().rollup(sum, {{window}})'),
    {
      kind: 'filled',
      text: 'sum:errors{host:web-1.example,zone:a} by {host}.as_count().rollup(sum, 300)',
    },
  );
  assert.equal(fill('sum:x{host IN (a),url:http:{{server}}/}').kind, 'filled');
});

test('what no tag can hold is refused', () => {
  for (const server of ['a,b', 'a*', 'a} by {host', 'a OR host:b', 'a b', '!a', '"a"', '', 'a)', "it's"])
    assert.equal(fill('sum:x{host:{{server}}}', { ...VALUES, server }).kind, 'refused', server);
});

test('a value stands nowhere else', () => {
  for (const template of [
    'sum:{{server}}{*}',
    'sum:x{{{server}}}',
    'sum:x{*} by {{{zone}}}',
    'sum:x{a:b}{{zone}}',
  ])
    assert.equal(fill(template).kind, 'refused', template);
});
