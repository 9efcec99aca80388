import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TextFormat } from '../domain/inventory.ts';
import { formatOf, MOST_ROWS, rowsOf } from './inventory-rows.ts';

const valuesOf = (text: string, format: TextFormat, group?: string) => {
  const { rows, problems } = rowsOf(text, { format, ...(group !== undefined && { group }) });
  assert.deepEqual(problems, []);
  return rows.map(({ value }) => value);
};
const problemOf = (text: string, format: TextFormat, group?: string) => {
  const { rows, problems } = rowsOf(text, { format, ...(group !== undefined && { group }) });
  assert.deepEqual(rows, []);
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.code, 'inventory_invalid');
  return problems[0];
};

test('a row of CSV has the fields that the first one names; numbers are numbers, and an empty cell says nothing', () => {
  const text =
    'name,address,sshPort,port,zone,env.ROLE,env.SIZE\nweb-1,10.0.0.1,2222,8080,east,a,3\nweb-2,10.0.0.2,,,,,\n';
  assert.deepEqual(valuesOf(text, 'csv'), [
    {
      ...{ name: 'web-1', address: '10.0.0.1', sshPort: 2222, port: 8080, zone: 'east' },
      env: { ROLE: 'a', SIZE: '3' },
    },
    { name: 'web-2', address: '10.0.0.2' },
  ]);
});

test('CSV may have quotes, spaces around cells, a byte order mark, empty lines and line ends of any kind', () => {
  const text = '\uFEFFname , address\r\n\r\n"web-1", "10.0.0.1"\r\n"we""b",x\r\n';
  assert.deepEqual(valuesOf(text, 'csv'), [
    { name: 'web-1', address: '10.0.0.1' },
    { name: 'we"b', address: 'x' },
  ]);
});

test('each row knows its line', () => {
  const csv = rowsOf('name\n\na\nb\n', { format: 'csv' }).rows;
  assert.deepEqual(
    csv.map(({ at, line }) => [at, line]),
    [
      ['line 3', 3],
      ['line 4', 4],
    ],
  );
  const yaml = rowsOf('# hosts\n- name: a\n  port: 1\n- name: b\n', { format: 'yaml' }).rows;
  assert.deepEqual(
    yaml.map(({ at, line }) => [at, line]),
    [
      ['target 1', 2],
      ['target 2', 4],
    ],
  );
});

test('what is no number in a column of numbers stays as it is, to be refused with its field', () => {
  const text = 'name,port\na,http\nb,-1\nc,1e3\nd,8080.0\n';
  assert.deepEqual(
    valuesOf(text, 'csv').map((value) => (value as { readonly port: unknown }).port),
    ['http', '-1', '1e3', '8080.0'],
  );
});

test('CSV without names of columns, with one of them twice, or with rows of another length, is refused with its line', () => {
  assert.match(problemOf('web-1,10.0.0.1\n', 'csv')?.message ?? '', /does not name the columns/);
  assert.match(problemOf('name,port,port\n', 'csv')?.message ?? '', /column "port" is there twice/);
  const short = problemOf('name,port\na,1\nb\n', 'csv');
  assert.match(short?.message ?? '', /another number of cells/);
  assert.equal(short?.where.line, 3);
  assert.match(problemOf('name\n"a\n', 'csv')?.message ?? '', /quoted cell has no end/);
});

test('nothing of a text that is no inventory is told', () => {
  const shadow = 'root:$6$c2FsdA$secrethash:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n';
  for (const format of ['csv', 'json', 'yaml', 'ansible'] as const)
    assert.ok(!JSON.stringify(rowsOf(shadow, { format }).problems).includes('secrethash'), format);
  assert.ok(!JSON.stringify(rowsOf(`a,${shadow},${shadow}`, { format: 'csv' })).includes('secrethash'));
});

test('an empty text is an empty list', () => {
  assert.deepEqual(valuesOf('', 'csv'), []);
  assert.deepEqual(valuesOf('name,address\n', 'csv'), []);
  assert.deepEqual(valuesOf('', 'yaml'), []);
  assert.deepEqual(valuesOf('# nobody\n', 'yaml'), []);
  assert.deepEqual(valuesOf('[]', 'json'), []);
});

test('JSON and YAML are lists, and nothing else', () => {
  assert.deepEqual(valuesOf('[{"name":"a"},3]', 'json'), [{ name: 'a' }, 3]);
  assert.deepEqual(valuesOf('- { name: a, port: 80 }', 'yaml'), [{ name: 'a', port: 80 }]);
  for (const text of ['{}', '"a"', '3', 'null'])
    assert.match(problemOf(text, 'json')?.message ?? '', /not a list/);
  assert.match(problemOf('[{"name"', 'json')?.message ?? '', /not valid JSON/);
  assert.match(problemOf('targets: []', 'yaml')?.message ?? '', /not a list/);
  assert.equal(problemOf('- a: 1\n- b: [\n', 'yaml')?.where.line, 3);
  assert.match(problemOf('[]\n---\n[]\n', 'yaml')?.message ?? '', /more than one document/);
});

test('long YAML, which would keep the server busy, is refused with a hint at what is fast', () => {
  const long = '- { name: a }\n'.repeat(10_000);
  assert.match(problemOf(long, 'yaml')?.message ?? '', /more than 100 KB$/);
  assert.match(problemOf(long, 'yaml')?.hint ?? '', /CSV or JSON/);
});

test('more rows than may be are refused, however they are written', () => {
  const many = MOST_ROWS + 1;
  assert.match(problemOf(JSON.stringify(Array(many).fill(0)), 'json')?.message ?? '', /more than 100000/);
  assert.match(problemOf(`name\n${'a\n'.repeat(many)}`, 'csv')?.message ?? '', /more than 100000/);
});

const ANSIBLE = {
  _meta: {
    hostvars: {
      'web-1': { ansible_host: '10.0.0.1', ansible_port: 2222, edge_zone: 'east', more: { of: 'it' } },
      'web-2': { edge_port: 8080, edge_member: 'web/web-2' },
      'db-1': {},
    },
  },
  all: { children: ['ungrouped', 'web', 'db', 'site'] },
  site: { children: ['web', 'site'], hosts: ['edge-1'] },
  web: { hosts: ['web-1', 'web-2'] },
  db: { hosts: ['db-1'] },
};

test('of what Ansible lists, hosts come with their address and port, of all groups or of one with those in it', () => {
  const text = JSON.stringify(ANSIBLE);
  const web = [
    { name: 'web-1', address: '10.0.0.1', sshPort: 2222, zone: 'east' },
    { name: 'web-2', address: 'web-2', port: 8080, member: 'web/web-2' },
  ];
  assert.deepEqual(valuesOf(text, 'ansible', 'web'), web);
  assert.deepEqual(valuesOf(text, 'ansible', 'site'), [{ name: 'edge-1', address: 'edge-1' }, ...web]);
  assert.equal(valuesOf(text, 'ansible').length, 4);
  assert.match(problemOf(text, 'ansible', 'nobody')?.message ?? '', /no group "nobody"/);
  assert.match(problemOf('{"web":{"hosts":["a"]}}', 'ansible')?.message ?? '', /_meta\.hostvars/);
  assert.match(problemOf('[]', 'ansible')?.message ?? '', /_meta\.hostvars/);
});

test('a text tells by its first letter whether it is JSON', () => {
  for (const text of ['[]', ' \n{"a":1}', '\uFEFF[1]']) assert.equal(formatOf(text), 'json');
  for (const text of ['name\n', '', '"name"\n']) assert.equal(formatOf(text), 'csv');
});

test('no text makes its reader throw', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(...'name,"\n\r[]{}:-&*\t\0é$'), maxLength: 60 }),
    fc.json(),
  );
  const format = fc.constantFrom<TextFormat>('json', 'csv', 'yaml', 'ansible');
  fc.assert(
    fc.property(
      text,
      format,
      fc.option(fc.constantFrom('web', '__proto__', 'constructor'), { nil: undefined }),
      (of, as, group) => {
        rowsOf(of, { format: as, ...(group !== undefined && { group }) });
      },
    ),
    { numRuns: 3_000 },
  );
});
