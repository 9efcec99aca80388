import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asEdgeError } from '../domain/errors.ts';
import { type InventorySource, originOf } from '../domain/inventory.ts';
import { isList } from '../domain/project-environment.ts';
import { loadConfig } from './load-config.ts';

const ENVIRONMENT = `kind: environment
name: production
ssh: { user: deploy, identityFile: /key, knownHosts: /known_hosts }
balancers: { lb: { kind: haproxy, socket: /run/haproxy.sock } }
zones: [{ name: east }, { name: west }]
`;
const TWO = ENVIRONMENT.replace('balancers: {', 'balancers: { b2: { kind: haproxy, socket: /x },');
const written = (targets: string, more = '', environment = ENVIRONMENT) =>
  `kind: project\nname: web\nfolder: /srv/web\n---\n${environment}---\nkind: project-environment\nproject: web\nenvironment: production\n${more}targets: ${targets}\n`;
const one = (text: string) => loadConfig([{ path: 'web.yaml', text }]);

function sourceOf(targets: string): InventorySource {
  const place = one(written(targets)).find(({ kind }) => kind === 'project-environment');
  assert.ok(place?.kind === 'project-environment' && !isList(place.targets));
  return place.targets;
}

function said(...given: Parameters<typeof written>): readonly string[] {
  try {
    one(written(...given));
    return [];
  } catch (thrown) {
    const { body } = asEdgeError(thrown);
    return [body, ...(body.also ?? [])].map(
      ({ code, message, where }) => `${code} ${where?.path}: ${message}`,
    );
  }
}

test('an inventory has its defaults, and tells what it reads without what it proves itself by', () => {
  assert.deepEqual(sourceOf('{ from: pool, pool: web }'), {
    ...{ from: 'pool', pool: 'web', name: '{host}', address: '{address}', min: 1, max: 10_000 },
  });
  const origins = [
    '{ from: pool, pool: web }',
    '{ from: pool, balancer: lb, pool: web }',
    '{ from: file, path: /lists/web.csv }',
    '{ from: command, argv: [/opt/list, --key, hunter2] }',
    '{ from: http, url: "https://cmdb.example.net/hosts?key=hunter2" }',
  ].map((targets) => originOf(sourceOf(targets)));
  assert.deepEqual(origins, [
    'the pool web',
    'the pool lb/web',
    'the file /lists/web.csv',
    'the command /opt/list',
    'https://cmdb.example.net/hosts',
  ]);
});

const REFUSED: Readonly<Record<string, RegExp>> = {
  '[]': /targets: needs at least 1 of them/,
  '{}': /targets\.from/,
  '{ from: ldap }': /targets\.from.*pool, file, command, http/,
  '{ from: file }': /targets\.path: is missing/,
  '{ from: file, path: hosts.csv }': /targets\.path: must be an absolute path/,
  '{ from: file, path: /l, pth: 1 }': /no field "pth"/,
  '{ from: file, path: /l, min: 0 }': /targets\.min: must be at least 1/,
  '{ from: file, path: /l, min: 5, max: 4 }': /must not be more than max/,
  '{ from: file, path: /l, group: web }': /group: is of format: ansible/,
  '{ from: file, path: /l, select: [] }': /select: needs at least 1/,
  '{ from: file, path: /l, select: ["we b"] }': /select\[0\]: must be a name, in which \*/,
  '{ from: file, path: /l, defaults: { member: "web/{nmae}" } }': /in which \{name\}, \{address\}/,
  '{ from: file, path: /l, defaults: { hostKey: x } }': /no field "hostKey"/,
  '{ from: file, path: /l, defaults: { zone: nort } }': /no zone of production "nort"/,
  '{ from: file, path: /l, zones: { nort: ["*"] } }': /no zone of production "nort"/,
  '{ from: pool, pool: web, balancer: front }': /no balancer of production "front"/,
  '{ from: pool, pool: web, also: ["admin"] }': /pool\/member, such as/,
  '{ from: command, argv: [] }': /argv: a command has at least one argument/,
  '{ from: command, argv: ["./list"] }': /absolute path, or the name of a program/,
  '{ from: command, argv: ["-list"] }': /absolute path, or the name of a program/,
  '{ from: command, argv: ["list"], timeoutMs: 60000 }': /timeoutMs: must be at most 50000/,
  '{ from: http, url: "ftp://x/y" }': /an address such as https/,
  '{ from: http, url: "https://me:pw@x/y" }': /without a user and password/,
  '{ from: http, url: "http://cmdb/y", credentials: { token: { source: env, name: T } } }': /over https only/,
  '{ from: http, url: "https://cmdb/y", credentials: { token: hunter2 } }': /credentials/,
};

for (const [targets, expected] of Object.entries(REFUSED))
  test(`is refused: ${targets}`, () => {
    const [first = 'it was taken', ...others] = said(targets);
    assert.match(first, expected);
    assert.deepEqual(others, []);
    assert.ok(!first.includes('me:pw') && !first.includes('hunter2'));
  });

test('a pool needs its balancer where there are several, or none', () => {
  const pool = '{ from: pool, pool: web }';
  assert.match(said(pool, '', TWO)[0] ?? '', /The pool needs its balancer: production has 2/);
  assert.match(said(pool, '', ENVIRONMENT.replace(/balancers.*\n/, ''))[0] ?? '', /production has 0/);
});

test('credentials may go to this machine without https, and to no other', () => {
  const to = (host: string) =>
    said(`{ from: http, url: "http://${host}/y", credentials: { token: { source: env, name: T } } }`).length;
  for (const host of ['127.0.0.1:80', '127.1.2.3', 'localhost', '[::1]:80']) assert.equal(to(host), 0, host);
  for (const host of ['localhost.evil.net', '127.0.0.1.evil.net', '0x7f.1.evil', '10.0.0.1', '[::2]'])
    assert.equal(to(host), 1, host);
});
