import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  clashing,
  type FilePlace,
  filePathField,
  makeFiles,
  problemsOfFiles,
  propertyFileSchema,
} from './property-file.ts';
import type { Variable } from './variable.ts';

const PLACE: FilePlace = {
  ...{ project: 'web', environment: 'prod', zone: 'east', target: 'web-1', address: '10.0.0.1', port: 8080 },
  ...{ version: '2.0', release: '2.0-abcdef01' },
};
const secret = { source: 'env', name: 'DB_PASSWORD' } as const;
const file = (template: string) => ({ path: 'conf/app.properties', mode: '0640', template });

const partsOf = (template: string, ...variables: readonly Variable[]) => {
  const made = makeFiles({ files: [file(template)], variables }, PLACE);
  assert.equal(made.kind, 'made', JSON.stringify(made));
  return made.kind === 'made' ? made.files[0]?.parts : [];
};
const problemsOf = (template: string, ...variables: readonly Variable[]) => {
  const made = makeFiles({ files: [file(template)], variables }, PLACE);
  return made.kind === 'problems' ? made.problems.map(({ line, message }) => `${line}: ${message}`) : [];
};

test('a file is its template with the values of its place', () => {
  const host = { name: 'host', value: 'db.prod', environment: 'prod' };
  assert.deepEqual(partsOf('db={{host}}\n', { name: 'host', value: 'db' }, host), ['db=db.prod\n']);
});

test('Edge gives the names of the place, and of what is put there', () => {
  const all = 'project environment zone target address port version release'.split(' ');
  assert.deepEqual(partsOf(all.map((name) => `{{edge.${name}}}`).join(' ')), [
    'web prod east web-1 10.0.0.1 8080 2.0 2.0-abcdef01',
  ]);
});

test('a secret stays a reference', () => {
  assert.deepEqual(partsOf('a={{p}}\n{{p}}\n', { name: 'p', secret }), [
    ...['a=', { secret, alone: false }, '\n', { secret, alone: true }, '\n'],
  ]);
});

test('values are put in as they are: what looks like a variable, or like a command, is text', () => {
  const value = '{{host}} $(touch x) `touch y` \\n ../ -rf ä';
  assert.deepEqual(partsOf('a={{v}}', { name: 'v', value }, { name: 'host', value: 'no' }), [`a=${value}`]);
});

test('the same content has the same parts, however its template was written', () => {
  assert.deepEqual(partsOf('a={{x}}c', { name: 'x', value: 'b' }), partsOf('a=bc'));
  assert.deepEqual(partsOf('{{x}}', { name: 'x', value: '' }), partsOf(''));
});

test('a value of several lines stands alone, or is refused', () => {
  const pem = { name: 'pem', value: 'one\ntwo' };
  assert.deepEqual(partsOf('a\n{{pem}}\nb\n', pem), ['a\none\ntwo\nb\n']);
  assert.match(problemsOf('a\nkey={{pem}}\n', pem)[0] ?? '', /^2: .*several lines/);
  assert.match(problemsOf('key={{r}}', { name: 'r', value: 'a\rb' })[0] ?? '', /several lines/);
});

test('values that would make a file of hundreds of megabytes are refused', () => {
  const large = { name: 'v', value: 'x'.repeat(32_000) };
  assert.equal(partsOf('{{v}}'.repeat(30), large)?.join('').length, 960_000);
  assert.deepEqual(
    problemsOf('{{v}}\n'.repeat(100), large).map((problem) =>
      /^32: .*more than 1000000 characters/.test(problem),
    ),
    [true],
  );
});

test('a variable without a value in this place is told with file and line', () => {
  const elsewhere = { name: 'host', value: 'x', environment: 'test' };
  assert.deepEqual(problemsOf('a\n\nb={{host}}', elsewhere), ['3: {{host}} has no value here']);
});

test('a release is looked through before it is made: names that nobody defines, braces that are not closed', () => {
  const variables = [{ name: 'host', value: 'x', environment: 'test' }];
  const files = [file('{{host}} {{edge.zone}}\n{{hots}}'), { ...file('{{'), path: 'b' }];
  assert.deepEqual(
    problemsOfFiles({ files, variables }).map(({ path, line }) => `${path}:${line}`),
    ['conf/app.properties:2', 'b:1'],
  );
});

test('a path twice, or a file in the place of a folder, is found', () => {
  assert.equal(clashing(['a/b', 'a/c', 'a.b', 'ab', 'a-b']), undefined);
  assert.deepEqual(clashing(['b', 'a', 'b']), ['b', 'b']);
  assert.deepEqual(clashing(['a-b', 'a/b/c', 'a/b', 'a/b.c']), ['a/b', 'a/b/c']);
});

for (const path of [
  ...['../x', 'a/../b', './a', '/etc/passwd', '~/x', 'a//b', 'a/', '-rf', 'a/-rf', '.edge-release'],
  ...['a b', 'a\nb', 'a\0b', '$(touch x)', '`touch x`', 'ä', 'a;b', 'a\\b', '..', '.', ''],
]) {
  test(`${JSON.stringify(path)} is refused as the path of a file`, () => {
    assert.equal(filePathField.safeParse(path).success, false);
  });
}

test('a file has its content, or says where its template is', () => {
  const parse = (more: object) => propertyFileSchema.safeParse({ path: 'a', ...more });
  assert.equal(parse({ content: '' }).data?.mode, '0640');
  assert.equal(parse({ template: 'x.tpl', mode: '600' }).success, true);
  assert.equal(parse({}).success, false);
  assert.equal(parse({ content: '', template: 'x' }).success, false);
  assert.equal(parse({ content: '', mode: '4755' }).success, false);
  assert.equal(parse({ content: '', mode: 640 }).success, false);
});
