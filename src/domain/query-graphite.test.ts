import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fillQuery } from './metric-query.ts';

const put = (template: string, server: string) =>
  fillQuery(template, { server, windowMs: 300_000 }, 'graphite');

function filled(template: string, server: string): string {
  const result = put(template, server);
  assert.equal(result.kind, 'filled', JSON.stringify(result));
  return result.kind === 'filled' ? result.text : '';
}

function refused(template: string, server: string, says: RegExp): void {
  const result = put(template, server);
  assert.ok(result.kind === 'refused', JSON.stringify(result));
  assert.match(String(result.problems.map(({ message }) => message)), says);
}

test('a value stands in a tag as it is, and in a pattern of one as what matches only it', () => {
  assert.equal(
    filled(`sumSeries(seriesByTag('name=errors', "server={{server}}"))`, "it's *.{a,b}"),
    `sumSeries(seriesByTag('name=errors', "server=it's *.{a,b}"))`,
  );
  assert.equal(
    filled(`seriesByTag('name=a', 'server=~^{{server}}$')`, 'web-1.*'),
    `seriesByTag('name=a', 'server=~^web-1\\.\\*$')`,
  );
  assert.equal(filled(`seriesByTag('server!={{server}}')`, 'a.b'), `seriesByTag('server!=a.b')`);
});

test('no value ends the tag that it stands in, or becomes a pattern there', () => {
  const template = `seriesByTag('server={{server}}')`;
  for (const server of ["a'", 'a\\', 'a;b', 'a\nb', 'a\r', '~.*', 'a:zone=b', 'a\0'])
    refused(template, server, /holds what no tag of Graphite can/);
  refused(`seriesByTag('{{server}}')`, 'name=a', /has to stand behind tag=/);
  refused(`seriesByTag('server{{server}}')`, '=~.*', /has to stand behind tag=/);
});

test('elsewhere a value has nothing that parts a path, matches more than itself, or calls', () => {
  assert.equal(filled('servers.{{server}}.errors', 'web-1_a'), 'servers.web-1_a.errors');
  assert.equal(filled(`summarize(a.{{server}}, '{{window}}')`, 'b'), `summarize(a.b, '300s')`);
  for (const server of ['a.b', '*', 'web-?', '[ab]', '{a,b}', 'a,b.c', 'a)', 'a|b', 'a b', 'é'])
    refused('servers.{{server}}.errors', server, /has to stand behind tag=/);
  refused(`grep(servers.*.errors, 'server={{server}}')`, 'a.b', /has to stand behind tag=/);
  refused(`seriesByTag('name=a', grep(x, 'server={{server}}'))`, 'a.b', /has to stand behind tag=/);
});

test('a value does not stand behind a backslash', () => {
  refused(`seriesByTag('server=\\{{server}}')`, 'a', /stands behind a backslash/);
});
