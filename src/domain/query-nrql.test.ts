import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillQuery } from './metric-query.ts';

const VALUES = { server: 'web-1.example', version: '1.4.0', zone: 'a', windowMs: 300_000 };
const fill = (template: string, values = VALUES) => fillQuery(template, values, 'nrql');

test('a value is compared whole, and a window is a duration', () => {
  const template =
    "FROM Transaction SELECT rate(count(*), {{window}}) WHERE host = '{{server}}' AND `it's` != '{{zone}}' AND version IN ('x', '{{version}}')";
  assert.deepEqual(fill(template), {
    kind: 'filled',
    text: "FROM Transaction SELECT rate(count(*), 300 seconds) WHERE host = 'web-1.example' AND `it's` != 'a' AND version IN ('x', '1.4.0')",
  });
});

test('what could end the text that it stands in is refused', () => {
  for (const server of ["it's", "' OR '1'='1", 'a\\', 'two\nlines', '\0'])
    assert.equal(
      fill("SELECT 1 FROM x WHERE host = '{{server}}'", { ...VALUES, server }).kind,
      'refused',
      server,
    );
  for (const server of ['a"b', '-- x', '/* x', 'é😀 %', '`'])
    assert.equal(
      fill("SELECT 1 FROM x WHERE host = '{{server}}'", { ...VALUES, server }).kind,
      'filled',
      server,
    );
});

test('a value is no pattern, no name, and nothing outside of quotes', () => {
  for (const where of [
    "host LIKE '{{server}}%'",
    "host RLIKE r'{{server}}'",
    "capture(host, '{{server}}') = 1",
    'host = {{server}}',
    'host = "{{server}}"',
    "`{{server}}` = 'a'",
    "host = 'a' -- '{{server}}'",
    "host = '\\{{server}}'",
  ])
    assert.equal(fill(`SELECT 1 FROM x WHERE ${where}`).kind, 'refused', where);
});
