import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillQuery, type QueryValues } from './metric-query.ts';

const VALUES = { server: 'web-1.example', version: '1.4.0', zone: 'a', windowMs: 300_000 };

function filled(template: string, values: QueryValues = VALUES): string {
  const result = fillQuery(template, values, 'promql');
  assert.equal(result.kind, 'filled', JSON.stringify(result));
  return result.kind === 'filled' ? result.text : '';
}

function problems(template: string, values: QueryValues = VALUES): readonly string[] {
  const result = fillQuery(template, values, 'promql');
  assert.equal(result.kind, 'refused', JSON.stringify(result));
  return result.kind === 'refused' ? result.problems.map(({ line, message }) => `${line}: ${message}`) : [];
}

test('values stand where their names stood', () => {
  assert.equal(
    filled('rate(errors{server="{{server}}",zone=\'{{ zone }}\',version!=`{{version}}`}[{{window}}])'),
    'rate(errors{server="web-1.example",zone=\'a\',version!=`1.4.0`}[300s])',
  );
});

test('a window is a duration, to the millisecond', () => {
  assert.equal(filled('[{{window}}]', { windowMs: 1_500 }), '[1500ms]');
  assert.equal(filled('[{{window}}:{{window}}]', { windowMs: 60_000 }), '[60s:60s]');
});

test('no value ends the text that it stands in', () => {
  const server = `a"b'c\\d\ne`;
  assert.equal(filled('x{s="{{server}}"}', { server }), `x{s="a\\"b'c\\\\d\\ne"}`);
  assert.equal(filled("x{s='{{server}}'}", { server }), `x{s='a"b\\'c\\\\d\\ne'}`);
  assert.equal(filled('x{s=`{{server}}`}', { server }), `x{s=\`${server}\`}`);
  assert.deepEqual(problems('x{s=`{{server}}`}', { server: 'a`b' }), [
    '1: {{server}} holds a backtick, and stands in such',
  ]);
});

test('a value in a regular expression matches itself and nothing else', () => {
  for (const operator of ['=~', '!~', '=~ ', '=~\n# of all "servers"\n'])
    assert.equal(filled(`x{s${operator}"{{server}}:.*"}`), `x{s${operator}"web-1\\\\.example:.*"}`);
  assert.equal(filled('x{s=~`{{server}}|{{zone}}`}'), 'x{s=~`web-1\\.example|a`}');
  assert.equal(filled('x{s=~".*",t="{{server}}"}'), 'x{s=~".*",t="web-1.example"}');
});

test('quotes within quotes and behind a backslash open nothing', () => {
  assert.equal(filled(`x{a="it's \\"{{zone}}\\"",b='"{{zone}}'}`), `x{a="it's \\"a\\"",b='"a'}`);
  assert.equal(filled('x{a=`\\`,b="{{zone}}"}'), 'x{a=`\\`,b="a"}');
  assert.equal(filled('x # it\'s "so\n{a="{{zone}}"}'), 'x # it\'s "so\n{a="a"}');
});

test('only a window stands outside of quotes, and nothing in a comment', () => {
  assert.deepEqual(problems('errors_{{zone}}{a="b"} # {{window}}'), [
    '1: {{zone}} has to stand in quotes',
    '1: {{window}} has to stand in quotes',
  ]);
});

test('nothing is put behind a backslash, which would take its first letter', () => {
  assert.deepEqual(problems('x{s="\\{{server}}"}', { server: '"} or y{s="' }), [
    '1: {{server}} stands behind a backslash',
  ]);
});

test('all that cannot be filled is told at once, with its line', () => {
  assert.deepEqual(problems('x{s="{{sever}}",\n v="{{version}}",\n z="{{"}', { server: 'a' }), [
    '1: {{sever}} is none of those that a query has. Did you mean "server"?',
    '2: {{version}} has no value here',
    '3: two opening braces that are not closed on their line; write {{{{ for two braces',
  ]);
  assert.match(String(problems('"{{constructor}}"')), /is none of those/);
});

test('an empty value is refused, as it would find what lacks the label', () => {
  assert.match(String(problems('x{s="{{server}}"}', { server: '' })), /is empty/);
});

test('a plain query takes values as they are, and refuses unknown names too', () => {
  const plain = (template: string) => fillQuery(template, VALUES, 'plain');
  assert.deepEqual(plain("it's {{server}} {{window}}"), {
    kind: 'filled',
    text: "it's web-1.example 300s",
  });
  assert.equal(plain('{{host}}').kind, 'refused');
});
