import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { environment } from '../../test/fixtures/configuration.ts';
import { EdgeError } from '../domain/errors.ts';
import { inventorySchema } from '../domain/inventory.ts';
import { rowsOf } from './inventory-rows.ts';
import { targetsOf } from './inventory-targets.ts';
import { poolRows } from './pool-rows.ts';

type Fields = Readonly<Record<string, unknown>>;
const FILE = { from: 'file', path: '/lists/web.json' };
const ZONES = { zones: [{ name: 'east' }, { name: 'west' }] };

/** Targets of these rows, as an inventory with these fields and in an environment with those would give them. */
function targetsIn(
  rows: readonly unknown[],
  fields: Fields = {},
  more: { env?: Fields; floors?: Record<string, number> } = {},
) {
  const source = inventorySchema.parse({ ...FILE, ...fields });
  const listed = rowsOf(JSON.stringify(rows), { format: 'json' });
  return targetsOf(listed, { source, environment: environment(more.env), floors: more.floors ?? {} });
}

function refusal(...given: Parameters<typeof targetsIn>): EdgeError {
  try {
    targetsIn(...given);
  } catch (thrown) {
    assert.ok(thrown instanceof EdgeError && thrown.code === 'inventory_invalid', String(thrown));
    return thrown;
  }
  throw new Error('it was taken');
}

const host = (name: string, more: Fields = {}) => ({ name, address: `${name}.example.net`, ...more });
const namesOf = (targets: readonly { readonly name: string }[]) => targets.map(({ name }) => name);

test('targets are in the order of their names, whatever the order they were told in', () => {
  const rows = [host('web-10'), host('web-2'), host('web-1')];
  assert.deepEqual(namesOf(targetsIn(rows)), ['web-1', 'web-2', 'web-10']);
  assert.deepEqual(targetsIn(rows), targetsIn(rows.toReversed()));
});

test('select and exclude choose by name, and what is not chosen need not be right', () => {
  const rows = [host('web-1'), host('web-2'), host('db-1', { helth: 1 }), { name: 'db 2', x: {} }];
  assert.deepEqual(namesOf(targetsIn(rows, { select: ['web-*'] })), ['web-1', 'web-2']);
  assert.deepEqual(namesOf(targetsIn(rows, { select: ['web-*'], exclude: ['*-2'] })), ['web-1']);
  assert.deepEqual(namesOf(targetsIn(rows, { exclude: ['db*'] })), ['web-1', 'web-2']);
});

test('a row without a name is not left out by a pattern', () => {
  assert.match(
    refusal([host('web-1'), { address: 'x' }], { exclude: ['*x'] }).message,
    /target 2: name: is missing/,
  );
});

test('an empty list, and one that is too short or too long, is refused with its bounds', () => {
  const said = (...given: Parameters<typeof targetsIn>) => refusal(...given).message;
  assert.match(said([]), /^the file \/lists\/web\.json: it gives 0 targets, where at least 1 are expected$/);
  assert.match(said([host('a')], { min: 2 }), /gives 1 target, where at least 2/);
  assert.match(said([host('a'), host('b')], { max: 1 }), /gives 2 targets, where at most 1/);
  assert.match(said([host('a'), host('b')], { select: ['c*'] }), /gives 0 targets, of 2 that it lists/);
  assert.equal(refusal([]).body.where?.path, 'targets.min');
});

test('what the inventory does not say is filled in, and what it says holds', () => {
  const defaults = {
    ...{ zone: 'east', sshPort: 2222, port: 8080, address: '{name}.example.net' },
    ...{ member: 'web/{name}:{port}', env: { ROLE: 'web', KEY: { source: 'env', name: 'KEY' } } },
  };
  const rows = [
    { name: 'a' },
    { name: 'b', address: '10.0.0.2', sshPort: 22, port: 9090, zone: 'west', env: { ROLE: 'other' } },
    { name: 'c', member: 'web/other' },
    { name: 'd', members: [] },
    { name: 'e', port: null },
  ];
  const KEY = { source: 'env', name: 'KEY' };
  const usual = { zone: 'east', sshPort: 2222, port: 8080, env: { ROLE: 'web', KEY } };
  assert.deepEqual(targetsIn(rows, { defaults }, { env: ZONES }), [
    { name: 'a', address: 'a.example.net', member: 'web/a:8080', ...usual },
    {
      ...{ name: 'b', address: '10.0.0.2', sshPort: 22, port: 9090, zone: 'west' },
      ...{ member: 'web/b:9090', env: { ROLE: 'other', KEY } },
    },
    { name: 'c', address: 'c.example.net', member: 'web/other', ...usual },
    { name: 'd', address: 'd.example.net', members: [], ...usual },
    { name: 'e', address: 'e.example.net', member: 'web/e:8080', ...usual },
  ]);
});

test('zones go by names, and what a row says goes before', () => {
  const zones = { east: ['*-e*'], west: ['*'] };
  const rows = [host('web-e1'), host('web-w1'), host('web-e2', { zone: 'west' })];
  const found = targetsIn(rows, { zones }, { env: ZONES });
  assert.deepEqual(
    found.map(({ name, zone }) => [name, zone]),
    [
      ['web-e1', 'east'],
      ['web-e2', 'west'],
      ['web-w1', 'west'],
    ],
  );
});

test('a member that needs what is not known is refused: without it nothing would be drained', () => {
  const error = refusal([host('a')], { defaults: { member: 'web/{name}:{port}' } });
  assert.match(error.message, /target 1: member: web\/\{name\}:\{port\} needs what is not known/);
  assert.deepEqual(error.body.where, { file: '/lists/web.json', path: 'member', target: 'a' });
});

test('every row that is wrong is told at once, with its place', () => {
  const rows = [
    host('a', { port: 'http' }),
    host('b', { prot: 1 }),
    3,
    { ...host('c'), name: 'c/../d' },
    { name: 'e' },
  ];
  const { body } = refusal(rows);
  const told = [body, ...(body.also ?? [])].map(({ message, where }) => [message, where?.path]);
  const file = 'the file /lists/web.json: ';
  assert.equal(told.length, 5);
  assert.deepEqual(told[0]?.[1], 'port');
  assert.match(String(told[0]?.[0]), new RegExp(`^${file}target 1: port: `));
  assert.deepEqual(told[1], [`${file}target 2: a target has no field "prot"`, 'prot']);
  assert.match(String(told[2]?.[0]), /target 3: /);
  assert.match(String(told[3]?.[0]), /target 4: name: a name has 1 to 63/);
  assert.match(String(told[4]?.[0]), /target 5: address: is missing/);
  assert.match(body.also?.[0]?.hint ?? '', /Did you mean "port"\?/);
});

test('targets fit their environment and each other, as those of a document do', () => {
  const said = (rows: readonly unknown[], fields: Fields = {}, more = {}) =>
    refusal(rows, fields, more).message;
  assert.match(said([host('a'), host('a')]), /target "a" is there twice/);
  assert.match(
    said([host('a', { member: 'web/x' }), host('b', { member: 'web/x' })]),
    /member web\/x belongs to two targets/,
  );
  assert.match(said([host('a', { zone: 'nort' })], {}, { env: ZONES }), /no zone of production "nort"/);
  assert.match(said([host('a')], {}, { env: ZONES }), /a needs a zone/);
  assert.match(said([host('a')], {}, { floors: { wbe: 1 } }), /no pool of a target "wbe"/);
});

test('a null says nothing, wherever the row is from', () => {
  const row = host('a', { hostKey: null, env: { A: null, B: 'b' } });
  const source = inventorySchema.parse({
    from: 'http',
    url: 'https://cmdb/web',
    defaults: { env: { A: 'usual' } },
  });
  const listed = rowsOf(JSON.stringify([row]), { format: 'json' });
  const [target] = targetsOf(listed, { source, environment: environment(), floors: {} });
  assert.deepEqual([target?.hostKey, target?.env], [undefined, { A: 'usual', B: 'b' }]);
  assert.deepEqual(targetsIn([host('a', { env: { A: null } })])[0]?.env, {});
});

test('an inventory names no secrets, and an answer over HTTP vouches for no host', () => {
  const secret = { env: { KEY: { source: 'file', name: '/etc/shadow' } } };
  assert.match(refusal([host('a', secret)]).message, /target 1: env: an inventory names no secrets/);
  const hostKey = `SHA256:${'a'.repeat(43)}`;
  assert.equal(targetsIn([host('a', { hostKey })])[0]?.hostKey, hostKey);
  const http = { from: 'http', url: 'https://cmdb/web', path: undefined };
  const source = Object.fromEntries(Object.entries(http).filter(([, value]) => value !== undefined));
  const place = { source: inventorySchema.parse(source), environment: environment(), floors: {} };
  const listed = rowsOf(JSON.stringify([host('a', { hostKey })]), { format: 'json' });
  assert.throws(() => targetsOf(listed, place), /hostKey: an answer over HTTP does not vouch/);
});

test('ten thousand rows with the same mistake are told in time, and how many they are', () => {
  const rows = Array.from({ length: 10_000 }, (_, n) => host(`web-${n}`, { hostname: 'x' }));
  const { body, message } = refusal(rows);
  assert.match(message, /target 1: a target has no field "hostname" \(and 9999 more\)/);
  assert.equal(body.also?.length, 49);
});

test('a row with thousands of fields is refused before they are looked at', () => {
  const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`k${n}`, String(n)]));
  for (const more of [many, { env: many }]) {
    const { message, body } = refusal([{ ...host('a'), ...more }]);
    assert.match(message, /target 1: it has more than 100 fields$/);
    assert.equal(body.also, undefined);
  }
});

const HOSTILE = [
  '',
  ' ',
  'a b',
  'a\nb',
  'a\0b',
  '$(touch /tmp/x)',
  '`id`',
  '; rm -rf /',
  '-oProxyCommand=id',
  '--',
  '../../etc',
  '/etc/passwd',
  'a|b',
  'wéb',
  '日本',
  '\u202Eabc',
  '\u001b[31m',
  '__proto__',
  'a'.repeat(64),
  'a'.repeat(100_000),
];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const ADDRESS = /^[A-Za-z0-9_.:-]{1,253}$/;

const hostile = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.string({ unit: fc.constantFrom(...'ab1.-_/:$`\n\0 '), maxLength: 12 }),
);

test('whatever a row holds is refused with its code, or taken letter by letter', () => {
  const scalar = fc.oneof(hostile, fc.integer(), fc.constant(null), fc.boolean());
  const row = fc.oneof(
    fc.record(
      {
        ...{ name: hostile, address: hostile, zone: hostile, hostKey: hostile, member: hostile },
        ...{ port: scalar, sshPort: scalar, env: fc.dictionary(hostile, scalar) },
        members: fc.array(fc.record({ pool: hostile, member: hostile, balancer: hostile })),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(row, (value) => {
      try {
        for (const target of targetsIn([value])) {
          const said = value as Fields;
          assert.ok(NAME.test(target.name) && ADDRESS.test(target.address));
          for (const [field, read] of Object.entries(target)) assert.deepEqual(read, said[field], field);
        }
      } catch (thrown) {
        assert.ok(thrown instanceof EdgeError && thrown.code === 'inventory_invalid', String(thrown));
        assert.ok(thrown.message.length < 1_000);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a name or address that could be an option, a path or a second command is never taken', () => {
  for (const bad of HOSTILE) {
    if (!NAME.test(bad)) refusal([host('a', { name: bad })]);
    if (!ADDRESS.test(bad)) refusal([host('a', { address: bad })]);
    if (!NAME.test(bad)) refusal([host('a', { zone: bad })], {}, { env: ZONES });
  }
  refusal([JSON.parse('{"name":"a","address":"b","__proto__":{"port":1}}')]);
});

const POOL = { from: 'pool', pool: 'web' };
const ofPool = (
  members: Parameters<typeof poolRows>[1],
  fields: Fields = {},
  more: { env?: Fields } = {},
) => {
  const source = inventorySchema.parse({ ...POOL, ...fields });
  assert.ok(source.from === 'pool');
  return targetsOf(poolRows(source, members), { source, environment: environment(more.env), floors: {} });
};

test('a member of a pool is a target where its balancer sends traffic, named without port and partition', () => {
  const members = [
    { member: 'web-1', address: '10.0.0.1', port: 8080 },
    { member: 'web-2:8080', address: '10.0.0.2', port: 8080 },
    { member: '/Common/web-3:8080', address: '10.0.0.3', port: 8080 },
    { member: '10.0.0.4:8080', address: '10.0.0.4', port: 8080 },
  ];
  assert.deepEqual(
    ofPool(members),
    [
      ['10.0.0.4', '10.0.0.4', '10.0.0.4:8080'],
      ['web-1', '10.0.0.1', 'web-1'],
      ['web-2', '10.0.0.2', 'web-2:8080'],
      ['web-3', '10.0.0.3', '/Common/web-3:8080'],
    ].map(([name, address, member]) => ({
      ...{ name, address, port: 8080 },
      members: [{ pool: 'web', member }],
    })),
  );
});

test('names and addresses of a pool may be made of what is known, and other pools of the same host are members too', () => {
  const [target] = ofPool(
    [{ member: 'app:80', address: '10.0.0.1', port: 80 }],
    {
      ...{ balancer: 'lb', name: '{host}-{port}', address: '{host}.ssh.example.net' },
      ...{ also: ['admin/{host}:9090'], defaults: { zone: 'west', sshPort: 2222 } },
    },
    { env: { zones: ZONES.zones } },
  );
  assert.deepEqual(target, {
    ...{ name: 'app-80', address: 'app.ssh.example.net', port: 80, zone: 'west', sshPort: 2222 },
    members: [
      { balancer: 'lb', pool: 'web', member: 'app:80' },
      { balancer: 'lb', pool: 'admin', member: 'app:9090' },
    ],
  });
});

test('a member whose address its balancer does not tell is refused with what to write, or left out', () => {
  const members = [{ member: 'web-1', address: '10.0.0.1', port: 80 }, { member: 'spare-1' }];
  assert.throws(
    () => ofPool(members),
    (error: EdgeError) => {
      assert.match(error.message, /^the pool web: member spare-1: address: is missing$/);
      assert.match(error.body.hint, /`address`/);
      return true;
    },
  );
  assert.deepEqual(namesOf(ofPool(members, { exclude: ['spare-*'] })), ['web-1']);
  assert.deepEqual(namesOf(ofPool(members, { address: '{name}' })), ['spare-1', 'web-1']);
});

test('two members of one host are not two targets of one name', () => {
  const members = [80, 81].map((port) => ({ member: `10.0.0.1:${port}`, address: '10.0.0.1', port }));
  assert.throws(() => ofPool(members), /target "10\.0\.0\.1" is there twice/);
  assert.equal(ofPool(members, { name: '{host}-{port}' }).length, 2);
});
