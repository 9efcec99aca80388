import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillQuery } from './metric-query.ts';

const put = (template: string, server = 'web-1.a') =>
  fillQuery(template, { server, windowMs: 300_000 }, 'influxql');

function filled(template: string, server?: string): string {
  const result = put(template, server);
  assert.equal(result.kind, 'filled', JSON.stringify(result));
  return result.kind === 'filled' ? result.text : '';
}

function refused(template: string, says: RegExp, server?: string): void {
  const result = put(template, server);
  assert.ok(result.kind === 'refused', JSON.stringify(result));
  assert.match(String(result.problems.map(({ message }) => message)), says);
}

test('no value ends the text or the name that it stands in', () => {
  const server = `a'b"c\\d\ne`;
  assert.equal(filled(`x = '{{server}}'`, server), `x = 'a\\'b"c\\\\d\\ne'`);
  assert.equal(filled(`FROM "{{server}}"`, server), `FROM "a'b\\"c\\\\d\\ne"`);
});

test('a value in a regular expression matches itself, and ends none', () => {
  for (const before of ['x =~ ', 'x !~', 'FROM ', 'SELECT mean(', 'GROUP BY a, '])
    assert.equal(filled(`${before}/^{{server}}$/`, 'a.b/c'), `${before}/^a\\.b\\/c$/`);
  refused('x =~ /{{server}}/', /a new line, or a zero/, 'a\nb');
  for (const server of ['a\rb', 'a\0']) refused("x = '{{server}}'", /a new line, or a zero/, server);
});

test('what divides begins no regular expression, and quotes in others open nothing', () => {
  assert.equal(filled(`SELECT a / b, '{{server}}' / 2`), `SELECT a / b, 'web-1.a' / 2`);
  assert.equal(filled(`SELECT mean(a)/"b" WHERE c = '{{server}}'`), `SELECT mean(a)/"b" WHERE c = 'web-1.a'`);
  assert.equal(filled(`a =~ /it's\\/"/ AND b = '{{server}}'`), `a =~ /it's\\/"/ AND b = 'web-1.a'`);
  assert.equal(filled(`a = 'it\\'s "' AND b = '{{server}}'`), `a = 'it\\'s "' AND b = 'web-1.a'`);
});

test('only a window stands outside of quotes, and nothing in a comment', () => {
  assert.equal(
    filled('time(5m) -- it\'s\n{{window}} /* " */ {{window}}'),
    'time(5m) -- it\'s\n300s /* " */ 300s',
  );
  for (const template of ['a = {{server}}', 'a / {{server}}', '-- {{server}}', "/* '{{window}}' */"])
    refused(template, /has to stand in quotes/);
  refused(`'\\{{server}}'`, /stands behind a backslash/);
});
