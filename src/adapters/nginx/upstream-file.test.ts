import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upstreamsNamed, withDown } from './upstream-file.ts';

const FILE = `# upstream web { server 9.9.9.9:9; }
map $http_upgrade $connection_upgrade { default upgrade; '' close; }
upstream web {
  zone web 64k;   # { not a block
  server 10.0.0.1:8080   weight=5 max_fails=0;# web-1
  server "10.0.0.2:8080" backup
    fail_timeout=3s ;
  server [::1]:8080 down; server unix:/run/web-4.sock;
  keepalive 16;
}
upstream 'web-2' { server 10.0.0.9; }
server { listen 80; server_name web "a;b{c"; location ~ \\.php\${x} { proxy_pass http://web; } }
`;

test('finds the servers of one upstream, and not what only looks like one', () => {
  const [servers = [], ...more] = upstreamsNamed(FILE, 'web');
  assert.equal(more.length, 0);
  assert.deepEqual(
    servers.map(({ address, parameters }) => [address, ...parameters]),
    [
      ['10.0.0.1:8080', 'weight=5', 'max_fails=0'],
      ['10.0.0.2:8080', 'backup', 'fail_timeout=3s'],
      ['[::1]:8080', 'down'],
      ['unix:/run/web-4.sock'],
    ],
  );
  for (const { text, at } of servers) assert.ok(FILE.startsWith(text, at));
  assert.equal(upstreamsNamed(FILE, 'web-2')[0]?.[0]?.address, '10.0.0.9');
  assert.deepEqual(upstreamsNamed(FILE, 'nowhere'), []);
});

test('an upstream of the same name in two contexts is found twice', () => {
  const twice = 'http { upstream a { server 1.1.1.1; } } stream { upstream a { server 2.2.2.2; } }';
  assert.deepEqual(
    upstreamsNamed(twice, 'a').map((servers) => servers.map(({ address }) => address)),
    [['1.1.1.1'], ['2.2.2.2']],
  );
});

test('a server is taken out by one word, and nothing else of it is touched', () => {
  const texts = upstreamsNamed(FILE, 'web')[0]?.map(withDown);
  assert.deepEqual(texts, [
    'server 10.0.0.1:8080   weight=5 max_fails=0 down;',
    'server "10.0.0.2:8080" backup\n    fail_timeout=3s down ;',
    'server [::1]:8080 down down;',
    'server unix:/run/web-4.sock down;',
  ]);
  for (const text of texts ?? []) {
    const [[server] = []] = upstreamsNamed(`upstream x { ${text} }`, 'x');
    assert.equal(server?.parameters.at(-1), 'down');
  }
});

test('a comment between the last word and the semicolon does not swallow the word', () => {
  const [[server] = []] = upstreamsNamed('upstream x { server 1.1.1.1:1 weight=2 # heavy ;\n ; }', 'x');
  assert.ok(server);
  assert.equal(withDown(server), 'server 1.1.1.1:1 weight=2 down # heavy ;\n ;');
});

test('offsets are bytes, whatever the comments are written in', () => {
  const bytes = Buffer.from('upstream x { # größer \u{1F40C}\n server 1.1.1.1:1; }');
  const [[server] = []] = upstreamsNamed(bytes.toString('latin1'), 'x');
  assert.ok(server);
  assert.equal(bytes.subarray(server.at).toString().split(';')[0], 'server 1.1.1.1:1');
});

for (const [text, says] of [
  ['upstream x {\n server 1.1.1.1:1;', /line 2: a \{ without/],
  ['}\n', /line 1: a \} without/],
  ['a;\nb "c;', /line 2: a " without/],
] as const)
  test(`says where it cannot be read: ${JSON.stringify(text)}`, () => {
    assert.throws(() => upstreamsNamed(text, 'x'), says);
  });
