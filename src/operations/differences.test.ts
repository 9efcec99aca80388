import assert from 'node:assert/strict';
import { test } from 'node:test';
import { release } from '../../test/fixtures/configuration.ts';
import { type Difference, differences } from './differences.ts';

const PLACE = { project: 'web', environment: 'production' };
const secret = { source: 'env', name: 'PASSWORD' };
const FILE = 'a=1\nhost={{host}}\np={{p}}\n';
const made = (version: string, fields: Readonly<Record<string, unknown>> = {}) => release(version, fields);
const configured = (version: string, content = FILE, ...variables: readonly object[]) =>
  made(version, {
    files: [{ path: 'web.conf', content }],
    variables: [{ name: 'host', value: 'db' }, { name: 'p', secret }, ...variables],
  });
const target = (name: string, before: ReturnType<typeof release> | null) => ({
  ...{ name, zone: 'east', address: name, port: 80, before },
});
const filesOf = ([first]: readonly Difference[]) =>
  first?.files.map(({ path, change, lines }) => [path, change, ...lines]);

test('a changed value is a changed line, with the lines around it', () => {
  const after = configured('2.0.0', FILE, { name: 'host', value: 'other', environment: 'production' });
  const found = differences(after, PLACE, [target('web-1', configured('1.0.0'))]);
  assert.deepEqual(filesOf(found), [
    [
      ...['web.conf', 'changed', '@@ -1,3 +1,3 @@', ' a=1', '-host=db', '+host=other'],
      ' p=***(env PASSWORD)',
    ],
  ]);
});

test('targets on which the same changes stand together, and those on which nothing does are left out', () => {
  const before = configured('1.0.0');
  const after = made('1.0.0', {
    files: [{ path: 'web.conf', content: FILE }],
    variables: [
      { name: 'host', value: 'db' },
      { name: 'p', secret },
      { name: 'host', value: 'own', environment: 'production', target: 'web-2' },
      { name: 'host', value: 'east', environment: 'production', zone: 'west' },
    ],
  });
  const west = { ...target('web-3', before), zone: 'west' };
  const found = differences(after, PLACE, [
    ...[target('web-1', before), target('web-2', before), west, { ...west, name: 'web-4' }],
  ]);
  assert.deepEqual(
    found.map(({ targets }) => targets),
    [['web-2'], ['web-3', 'web-4']],
  );
});

test('files come and go with their releases, and so do artifacts', () => {
  const before = made('1.0.0');
  const after = configured('2.0.0', 'x\n');
  const [forward] = differences(after, PLACE, [target('web-1', before)]);
  assert.deepEqual(forward?.files, [
    {
      ...{ path: 'web.conf', change: 'added', mode: { before: null, after: '0640' } },
      lines: ['@@ -0,0 +1,1 @@', '+x'],
    },
  ]);
  assert.deepEqual(forward.artifacts, [{ name: 'web.tar.gz', change: 'changed' }]);
  const [back] = differences(before, PLACE, [target('web-1', after)]);
  assert.deepEqual(
    back?.files.map(({ change }) => change),
    ['removed'],
  );
  const [first] = differences(after, PLACE, [target('web-1', null)]);
  assert.deepEqual([first?.before, first?.artifacts[0]?.change], [null, 'added']);
});

test('a secret that comes from another place is a change, and is never shown', () => {
  const from = (name: string) => ({ name: 'p', secret: { source: 'env', name }, environment: 'production' });
  const found = differences(configured('2.0.0', 'p={{p}}\n', from('NEW')), PLACE, [
    target('web-1', configured('1.0.0', 'p={{p}}\n', from('OLD'))),
  ]);
  assert.deepEqual(filesOf(found), [
    ['web.conf', 'changed', '@@ -1,1 +1,1 @@', '-p=***(env OLD)', '+p=***(env NEW)'],
  ]);
});

test('a large file that is written anew is compared in no time', () => {
  const content = (word: string) => Array.from({ length: 8_000 }, (_, n) => `${word}${n}\n`).join('');
  const withContent = (version: string, word: string) =>
    made(version, { files: [{ path: 'web.conf', content: content(word) }] });
  const [found] = differences(withContent('2.0.0', 'b'), PLACE, [target('web-1', withContent('1.0.0', 'a'))]);
  const lines = found?.files[0]?.lines ?? [];
  assert.deepEqual([lines.length, lines[0], lines.at(-1)], [16_000, '-a0', '+b7999']);
});

test('a mode alone is a change without lines', () => {
  const withMode = (version: string, mode: string) =>
    made(version, { files: [{ path: 'web.conf', content: 'a\n', mode }] });
  const found = differences(withMode('2.0.0', '0600'), PLACE, [target('web-1', withMode('1.0.0', '0640'))]);
  assert.deepEqual(filesOf(found), [['web.conf', 'changed']]);
});

test('a file that cannot be made is an error that names it', () => {
  const after = made('2.0.0', {
    files: [{ path: 'web.conf', content: '{{host}}' }],
    variables: [{ name: 'host', value: 'x', environment: 'test' }],
  });
  assert.throws(() => differences(after, PLACE, [target('web-1', null)]), { code: 'variable_undefined' });
});
