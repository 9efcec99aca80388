import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeScript, type ScriptRequest, scriptRequestSchema } from './script.ts';
import { readOutputs } from './script-outputs.ts';

const request = (more: Record<string, unknown> = {}): ScriptRequest =>
  scriptRequestSchema.parse({ kind: 'script', name: 'migrate', content: '#!/bin/sh\n', ...more });
const interpreterOf = (content: string) => makeScript(request(), content).interpreter;

describe('a script', () => {
  test('is run by what its first line says, as a kernel reads it', () => {
    assert.deepEqual(interpreterOf('#!/bin/sh\nexit 0\n'), ['/bin/sh']);
    assert.deepEqual(interpreterOf('#! /usr/bin/env python3  \n'), ['/usr/bin/env', 'python3']);
    assert.deepEqual(interpreterOf('#!/usr/bin/env -S python3 -u'), ['/usr/bin/env', '-S python3 -u']);
  });

  test('is run by what its document says, if that does', () => {
    const made = makeScript(request({ interpreter: ['/usr/bin/python3', '-u'] }), 'print(1)\n');
    assert.deepEqual(made.interpreter, ['/usr/bin/python3', '-u']);
    assert.deepEqual(Object.keys(made).includes('path'), false);
  });

  test('says what runs it, by an absolute path', () => {
    for (const content of ['echo 1\n', '#!sh\n', '#!\n', ' #!/bin/sh\n', ''])
      assert.throws(() => interpreterOf(content), {
        code: 'config_invalid',
        message: /does not say what runs/,
      });
    assert.throws(() => request({ interpreter: ['sh'] }), /by its absolute path/);
  });

  test('is text in UTF-8 with the line ends of Unix, and no longer than 64 KB', () => {
    assert.throws(() => interpreterOf('#!/bin/sh\n\0'), { message: /is not text/ });
    assert.throws(() => interpreterOf('#!/bin/sh\n\ud800'), { message: /is not text/ });
    assert.throws(() => interpreterOf('#!/bin/sh\r\n'), { message: /carriage return/ });
    assert.throws(() => interpreterOf(`#!/bin/sh\n${'é'.repeat(33_000)}`), { message: /66010 bytes; 65536/ });
  });

  test('has content or a path', () => {
    assert.throws(() => request({ path: '/x' }), /content or path/);
    assert.throws(() => scriptRequestSchema.parse({ kind: 'script', name: 'migrate' }), /content or path/);
  });

  test('declares parameters whose default is of their type', () => {
    const parameters = { rows: { type: 'integer', min: 1, max: 5, default: 3 } };
    assert.deepEqual(request({ parameters }).parameters, parameters);
    for (const wrong of [
      { rows: { type: 'integer', default: 'x' } },
      { rows: { type: 'integer', min: 1, default: 0 } },
      { name: { type: 'string', pattern: '[a-z]+', default: 'A' } },
      { name: { type: 'string' } },
      { name: { type: 'string', pattern: '(a+)+' } },
      { 'not-a-name': { type: 'boolean' } },
      { how: { type: 'enum', values: [] } },
    ])
      assert.throws(() => request({ parameters: wrong }), JSON.stringify(wrong));
  });
});

describe('the outputs of a script', () => {
  const declared = {
    rows: { type: 'integer', min: 0 },
    table: { type: 'string', pattern: '[a-z_]+' },
    mode: { type: 'enum', values: ['fast', 'slow'] },
    changed: { type: 'boolean' },
  } as const;
  const ALL = 'rows=42\ntable=users\nmode=slow\nchanged=false\n';
  const wrongOf = (text: string) => {
    const read = readOutputs(text, declared);
    return read.ok ? 'nothing' : read.message;
  };

  test('are read by their types; of a name that is there twice the last counts', () => {
    const outputs = { rows: 42, table: 'users', mode: 'slow', changed: false };
    assert.deepEqual(readOutputs(ALL, declared), { ok: true, outputs });
    assert.deepEqual(readOutputs(`rows=1\n\n${ALL}`, declared), { ok: true, outputs });
    assert.deepEqual(readOutputs('', {}), { ok: true, outputs: {} });
  });

  test('are all there, each of its type, and nothing else', () => {
    assert.equal(wrongOf('rows=42\ntable=users\n'), 'it did not give mode, changed');
    assert.match(wrongOf(`${ALL}rows=-1\n`), /rows is not a whole number of at least 0/);
    for (const rows of ['', '4.2', '0x10', '1e3', ' 42', '042', '99999999999999999', 'NaN'])
      assert.match(wrongOf(`${ALL}rows=${rows}\n`), /rows is not a whole number/, rows);
    assert.match(wrongOf(`${ALL}table=Users\n`), /table is not a text that matches/);
    assert.match(wrongOf(`${ALL}mode=medium\n`), /mode is not one of fast, slow/);
    assert.match(wrongOf(`${ALL}changed=yes\n`), /changed is not true or false/);
    assert.match(wrongOf(`${ALL}other=1\n`), /line 5 of its outputs gives what it did not declare/);
    assert.match(wrongOf(`${ALL}constructor=1\n`), /did not declare/);
    assert.match(wrongOf(`${ALL}rows\n`), /line 5 of its outputs is not name=value/);
    assert.match(wrongOf(`${ALL}=1\n`), /not name=value/);
  });

  test('are no secrets, and what is wrong with them is told without their values', () => {
    assert.match(wrongOf(`${ALL}table=a***b\n`), /table holds a secret/);
    assert.doesNotMatch(wrongOf(`${ALL}table=VALUE\nrows=VALUE\n`), /VALUE/);
  });
});
