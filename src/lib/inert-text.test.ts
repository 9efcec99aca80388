import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inert, inertDeep, inertJson, oneLine } from './inert-text.ts';

const ESC = '\u001b';

test('colours, cursor moves and titles are cut out whole', () => {
  assert.equal(inert(`${ESC}[31mred${ESC}[0m ${ESC}[2J${ESC}[10;20Hx`), 'red x');
  assert.equal(inert(`a${ESC}]0;title\u0007b${ESC}]52;c;aGk=${ESC}\\c`), 'abc');
  assert.equal(inert(`a${ESC}Pq#0${ESC}\\b${ESC}(Bc${ESC}7d`), 'abcd');
});

test('sequences that begin with a C1 character are cut out too', () => {
  assert.equal(inert('a\u009b31mb\u009d0;t\u009cc'), 'abc');
});

test('a sequence that is cut off at the end does not survive', () => {
  assert.equal(inert(`a${ESC}`), 'a');
  assert.equal(inert(`a${ESC}[3`), 'a');
  assert.equal(inert(`a${ESC}]0;never ended`), 'a');
});

test('carriage return, backspace and direction marks go; line feed, tab and letters of all scripts stay', () => {
  assert.equal(inert('ok\rno\b\u202eevil\u2066\u200f'), 'oknoevil');
  assert.equal(inert('a\n\tb é 漢 🙂 ✓'), 'a\n\tb é 漢 🙂 ✓');
});

test('nothing that moves a terminal is left of any text', () => {
  const nasty = fc.constantFrom(
    ESC,
    '\u009b',
    '\u009d',
    '[',
    ']',
    'm',
    '0',
    '\u0007',
    '\\',
    ';',
    'x',
    '\u0090',
    '\n',
  );
  fc.assert(
    fc.property(
      fc.array(nasty).map((parts) => parts.join('')),
      (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        assert.doesNotMatch(inert(text), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      },
    ),
  );
});

test('every text in a value is made inert', () => {
  assert.deepEqual(inertDeep({ a: [`${ESC}[1mx`, 1, null], b: { c: '\u202ey' } }), {
    a: ['x', 1, null],
    b: { c: 'y' },
  });
});

test('one line is one line', () => {
  assert.equal(oneLine(' a\n\n  b\tc\r\n'), 'a b c');
});

test('JSON keeps its meaning and holds no control character', () => {
  const value = { text: `${ESC}[0m\u009b1m\u202e\u2028ok` };
  const json = inertJson(value);
  assert.deepEqual(JSON.parse(json), value);
  assert.match(json, /^[ -~]*$/);
});
