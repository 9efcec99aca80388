import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRelease, plannedRelease, releaseRequestSchema } from './release.ts';

const file = { sha256: 'a'.repeat(64), sizeBytes: 5, place: { path: '/tmp/web.tar.gz' } };
const request = (fields = {}) =>
  releaseRequestSchema.parse({
    kind: 'release',
    project: 'web',
    version: '1.0.0',
    artifacts: [{ name: 'web.tar.gz', path: '/tmp/web.tar.gz', unpack: 'tar.gz' }],
    ...fields,
  });

test('the id of a release is its version and the start of its hash', () => {
  const release = makeRelease(request(), { artifacts: [file] }, 7);
  assert.equal(release.id, `1.0.0-${release.hash.slice(0, 8)}`);
  assert.equal(release.createdAt, 7);
});

test('the hash is over what is deployed, not over where it lies or when it was made', () => {
  const { hash } = makeRelease(request(), { artifacts: [file] }, 0);
  const elsewhere = request({
    artifacts: [{ name: 'web.tar.gz', path: '/other/web.tar.gz', unpack: 'tar.gz' }],
  });
  assert.equal(makeRelease(elsewhere, { artifacts: [file] }, 9).hash, hash);
  for (const other of [
    makeRelease(request(), { artifacts: [{ ...file, sha256: 'b'.repeat(64) }] }, 0),
    makeRelease(request({ version: '1.0.1' }), { artifacts: [file] }, 0),
    makeRelease(request({ source: { repository: 'r', commit: 'abcdef0' } }), { artifacts: [file] }, 0),
  ]) {
    assert.notEqual(other.hash, hash);
  }
});

test('a plan holds of a release only what its actions need', () => {
  const { id, version, hash, artifacts } = makeRelease(
    request({ source: { repository: 'r', commit: 'abcdef0' } }),
    { artifacts: [file] },
    0,
  );
  assert.deepEqual(
    plannedRelease(
      { ...makeRelease(request(), { artifacts: [file] }, 0), id, version, hash, artifacts },
      'prod',
    ),
    {
      id,
      version,
      hash,
      artifacts,
    },
  );
  const { place, ...measured } = file;
  assert.deepEqual(artifacts, [{ name: 'web.tar.gz', unpack: 'tar.gz', ...measured, ...place }]);
});

test('a version or an artifact cannot name a place outside of its folder', () => {
  for (const version of ['../1', '1/2', '..', '', '-rf']) assert.throws(() => request({ version }), version);
  assert.throws(() => request({ artifacts: [{ name: '../x', path: '/x' }] }));
});

test('two artifacts of one name are refused', () => {
  const artifact = { name: 'x', path: '/x' };
  assert.throws(() => request({ artifacts: [artifact, artifact] }), /same name/);
});

const accepts = (artifact: object): boolean => {
  const parsed = releaseRequestSchema.safeParse({
    ...{ kind: 'release', project: 'web', version: '1' },
    artifacts: [{ name: 'a', ...artifact }],
  });
  return parsed.success;
};
const MAVEN = { repository: 'https://nexus/r', group: 'com.example', artifact: 'shop', version: '1' };
const GIT = { repository: 'https://git/shop', commit: 'a'.repeat(40) };
const SECRET = { source: 'env', name: 'NEXUS' };

test('an artifact has one source, and what belongs to it', () => {
  const good = [
    { path: '/a' },
    { url: 'https://nexus/a.jar?x=1', credentials: SECRET, unpack: 'zip' },
    { maven: MAVEN, credentials: SECRET },
    { git: { ...GIT, folder: 'etc/web' }, unpack: 'tar.gz' },
    { upload: true, sha256: 'a'.repeat(64) },
  ];
  for (const artifact of good) assert.equal(accepts(artifact), true, JSON.stringify(artifact));
  const bad = [
    {},
    { path: '/a', url: 'https://nexus/a.jar' },
    { path: '/a', upload: true, sha256: 'a'.repeat(64) },
    { path: '/a', credentials: SECRET },
    { upload: true },
    { git: GIT, unpack: 'zip' },
  ];
  for (const artifact of bad) assert.equal(accepts(artifact), false, JSON.stringify(artifact));
});

test('a source is an address without a secret in it, and leads to nothing but itself', () => {
  for (const url of [
    'ftp://x/a',
    'file:///etc/passwd',
    'https://ann:pw@x/a',
    'https://x/a#b',
    'x/a',
    'https://x/a b',
    'https://x/a?X-Amz-Signature=1',
    'https://x/a?v=1&private_token=1',
    'https://x/a?sv=1&sig=1',
  ])
    assert.equal(accepts({ url }), false, url);
  assert.equal(accepts({ url: 'https://x/a?job=build&path=a%2Fb' }), true);
  assert.equal(accepts({ maven: { ...MAVEN, repository: 'https://nexus/r?x=1' } }), false);
  for (const field of ['group', 'artifact', 'version', 'classifier', 'extension'])
    for (const odd of ['../x', 'a/b', '', 'a..b', '-a'])
      assert.equal(accepts({ maven: { ...MAVEN, [field]: odd } }), false, `${field} ${odd}`);
  for (const repository of [
    'ext::sh -c id',
    '--upload-pack=x',
    '/srv/repo',
    'git@x:shop',
    'https://ann:pw@x/shop',
    'https://ann@x/shop',
    'https://x\\@y/shop',
    'https://x/shop?token=1',
    'ssh://ann:pw@x/shop',
    'ssh://-oProxyCommand=id/shop',
    'ssh://x',
    'file://x/shop',
  ])
    assert.equal(accepts({ git: { ...GIT, repository } }), false, repository);
  for (const repository of ['ssh://git@x:2222/shop.git', 'http://[::1]:8080/shop', 'file:///srv/shop'])
    assert.equal(accepts({ git: { ...GIT, repository } }), true, repository);
  for (const more of [
    { commit: 'main' },
    { commit: 'abcdef0' },
    { folder: '../x' },
    { folder: '-x' },
    { folder: ':(glob)*' },
  ])
    assert.equal(accepts({ git: { ...GIT, ...more } }), false, JSON.stringify(more));
});

const CONFIGURED = {
  files: [{ path: 'conf/app.properties', content: 'host={{host}}\n' }],
  variables: [
    { name: 'host', value: 'db' },
    { name: 'host', value: 'db.prod', environment: 'prod' },
    { name: 'host', value: 'db.test', environment: 'test' },
  ],
};
const made = (fields: object, templates: readonly string[] = []) =>
  makeRelease(request(fields), { artifacts: [file], templates }, 0);

test('a release is its files and variables too: a change of either is another release', () => {
  const { hash } = made(CONFIGURED);
  const { files, variables } = CONFIGURED;
  for (const other of [
    made({}),
    made({ files, variables: variables.slice(1) }),
    made({ files: [{ path: 'conf/app.properties', content: 'host={{host}}' }], variables }),
    made({ files: [{ path: 'conf/app.conf', content: 'host={{host}}\n' }], variables }),
    made({ files: [{ ...files[0], mode: '0600' }], variables }),
  ])
    assert.notEqual(other.hash, hash);
});

test('the order of variables, and where a template was read, make no difference', () => {
  const { hash } = made(CONFIGURED);
  assert.equal(made({ ...CONFIGURED, variables: CONFIGURED.variables.toReversed() }).hash, hash);
  const read = {
    files: [{ path: 'conf/app.properties', template: '/tmp/a.tpl' }],
    variables: CONFIGURED.variables,
  };
  assert.equal(made(read, ['host={{host}}\n']).hash, hash);
});

test('a release without files and variables is what it was before there were any', () => {
  const release = made({});
  assert.equal('files' in release || 'variables' in release, false);
});

test('a plan holds the variables that may hold in its environment, and no others', () => {
  const { properties } = plannedRelease(made(CONFIGURED), 'prod');
  assert.deepEqual(
    properties?.variables.map(({ value }) => value),
    ['db.prod', 'db'],
  );
});

test('what cannot be together in one release is refused', () => {
  const [path] = CONFIGURED.files;
  for (const [wrong, why] of [
    [{ files: [path, path] }, /both conf\/app.properties and/],
    [{ files: [path, { path: 'conf', content: '' }] }, /both conf and/],
    [{ artifacts: [{ name: 'conf', path: '/x' }], files: [path] }, /both conf and/],
    [
      {
        variables: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      },
      /a has two values/,
    ],
  ] as const)
    assert.throws(() => request(wrong), why);
});
