import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTemplate, type TemplatePart } from './template.ts';

const partsOf = (text: string): readonly TemplatePart[] => {
  const { parts, problems } = parseTemplate(text);
  assert.deepEqual(problems, []);
  return parts;
};
const at = (variable: string, line: number, alone = false) => ({ variable, line, alone });

test('a variable is a name in two braces, with spaces or without', () => {
  assert.deepEqual(partsOf('host={{db.host}}\nport={{ db-port_2 }}\n'), [
    ...['host=', at('db.host', 1), '\nport=', at('db-port_2', 2), '\n'],
  ]);
});

test('a text without variables is itself, and nothing is nothing', () => {
  assert.deepEqual(partsOf('a {b} ${c} }} %d\n'), ['a {b} ${c} }} %d\n']);
  assert.deepEqual(partsOf(''), []);
});

test('two braces twice are two braces', () => {
  assert.deepEqual(partsOf('{{{{name}}'), ['{{', 'name}}']);
  assert.deepEqual(partsOf('{{{{{{name}}'), ['{{', at('name', 1)]);
});

test('a variable stands alone when its line has nothing else', () => {
  assert.deepEqual(partsOf('{{a}}\n{{b}}\r\n {{c}}\n{{d}}'), [
    ...[at('a', 1, true), '\n', at('b', 2, true), '\r\n ', at('c', 3), '\n', at('d', 4, true)],
  ]);
});

for (const [written, what] of [
  ['{{', /not closed/],
  ['{{a', /not closed/],
  ['{{a\n}}', /not closed/],
  ['{{}}', /names no variable/],
  ['{{a b}}', /names no variable/],
  ['{{ 1a }}', /names no variable/],
  ['{{$(touch x)}}', /names no variable/],
  ['{{ä}}', /names no variable/],
] as const) {
  test(`${JSON.stringify(written)} is refused with its line`, () => {
    const [problem] = parseTemplate(`one\ntwo ${written}`).problems;
    assert.equal(problem?.line, 2);
    assert.match(problem?.message ?? '', what);
  });
}

test('all that is wrong is told at once', () => {
  const { problems } = parseTemplate('{{1}}\n{{ok}}\n{{-}}\n');
  assert.deepEqual(
    problems.map(({ line }) => line),
    [1, 3],
  );
});
