import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readYaml } from './yaml-text.ts';

const valuesOf = (text: string) => readYaml(text).documents.map(({ value }) => value);
const problemOf = (text: string) => readYaml(text).problems[0];

test('a file may hold several documents, and empty ones are left out', () => {
  assert.deepEqual(valuesOf('a: 1\n---\n# nothing\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
});

test('words of older YAML are texts', () => {
  assert.deepEqual(valuesOf('a: yes\nb: on\nc: 0777\nd: 12:30'), [{ a: 'yes', b: 'on', c: 777, d: '12:30' }]);
});

test('a value and a key know their places in the file, also in the second document', () => {
  const [, second] = readYaml('a: 1\n---\nb:\n  - c: 2\n    d: 3\n').documents;
  assert.deepEqual(second?.placeOf(['b', 0, 'd']), { line: 5, column: 8 });
  assert.deepEqual(second?.placeOfKey(['b', 0], 'd'), { line: 5, column: 5 });
});

test('the place of a value that is missing is that of what is around it', () => {
  const [only] = readYaml('a:\n  b: 1\n').documents;
  assert.deepEqual(only?.placeOf(['a', 'c', 'd']), { line: 2, column: 3 });
});

test('a syntax error has its line', () => {
  assert.deepEqual(problemOf('a: 1\n\tb: 2')?.place, { line: 2, column: 1 });
  assert.equal(problemOf('a: [1')?.code, 'config_syntax');
});

test('a field that is given twice is a duplicate', () => {
  assert.deepEqual(problemOf('a: 1\nb: 2\na: 3'), {
    code: 'config_duplicate',
    message: 'The field a is given twice',
    place: { line: 3, column: 1 },
  });
});

test('anchors may be used, but not to multiply', () => {
  assert.deepEqual(valuesOf('a: &x { b: 1 }\nc: *x'), [{ a: { b: 1 }, c: { b: 1 } }]);
  const levels = [
    'a: &l0 [x, x]',
    ...[1, 2, 3, 4].map((level) => `b${level}: &l${level} [*l${level - 1}, *l${level - 1}]`),
  ];
  assert.match(problemOf(levels.join('\n'))?.message ?? '', /holds another alias/);
  assert.match(problemOf(`a: &x 1\nb: [${'*x, '.repeat(101)}]`)?.message ?? '', /more than 100 times/);
});

test('an anchor that holds itself is refused', () => {
  assert.equal(problemOf('a: &x [*x]')?.code, 'config_syntax');
});

for (const [name, text] of [
  ['lists', '['.repeat(100_000)],
  ['mappings', '{a: '.repeat(100_000)],
  ['dashes', '- '.repeat(100_000)],
  ['questions', '? '.repeat(100_000)],
] as const) {
  test(`${name} that are nested too deep are refused before they are built`, () => {
    assert.match(problemOf(text)?.message ?? '', /deeper than 32 levels/);
  });
}

test('a file that is too large, or has too many lines or documents, is refused', () => {
  assert.match(problemOf('x'.repeat(4 * 1024 * 1024 + 1))?.message ?? '', /larger than 4 MiB/);
  assert.match(problemOf('\n'.repeat(250_001))?.message ?? '', /more than 250000 lines/);
  assert.match(problemOf('---\na: 1\n'.repeat(1_001))?.message ?? '', /more than 1000 documents/);
});

test('tags, also those that other parsers run, are refused', () => {
  for (const tag of ['!!js/function', '!!python/object/apply:os.system', '!!binary', '!own']) {
    assert.equal(problemOf(`a: ${tag} "x"`)?.code, 'config_syntax', tag);
  }
});

test('__proto__ is refused as a key, wherever it is', () => {
  assert.deepEqual(problemOf('a:\n  - __proto__: { b: 1 }')?.place, { line: 2, column: 5 });
});

const yamlish = fc
  .array(
    fc.constantFrom(
      'a',
      'b: ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '&x ',
      '*x',
      '? ',
      ': ',
      '|\n',
      '"',
      "'",
      '#',
      '---\n',
      '!t ',
      '%Y',
      '<<: ',
      '__proto__: ',
      '\t',
      '0x1',
      'null',
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

test('no text makes it throw, and what it says is always placed', () => {
  fc.assert(
    fc.property(fc.oneof(yamlish, fc.string({ unit: 'binary', maxLength: 80 })), (text) => {
      const { documents, problems } = readYaml(text);
      assert.ok(documents.length === 0 || problems.length === 0);
      for (const { place, message } of problems) {
        assert.ok(place.line >= 1 && place.column >= 1 && message.length <= 220);
      }
      for (const { value } of documents) assert.doesNotThrow(() => JSON.stringify(value));
    }),
    { numRuns: 2_000 },
  );
  assert.equal(Object.hasOwn(Object.prototype, 'b'), false);
});
