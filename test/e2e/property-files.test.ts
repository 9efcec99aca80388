import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { Output } from '../../src/api/contract.ts';
import type { ErrorBody } from '../../src/domain/errors.ts';
import { releaseId } from '../../src/domain/ids.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { dumpDatabase } from '../support/database-dump.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, type EstateTarget, PROJECT } from '../support/estate-configuration.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;
const PASSWORD = 'correct $(touch x) horse';
const KEY = '-----BEGIN KEY-----\nline one\nline two\n-----END KEY-----';

/** The version of the application comes from a property file, so that a release of the same artifact is told apart. */
const APP = '{"version":"{{edge.version}}","startupDelayMs":200,"broken":false}\n';
const PROPERTIES = `# {{edge.project}} {{edge.release}} on {{edge.target}} ({{edge.zone}}, {{edge.address}}:{{edge.port}})
db.host={{db.host}}
db.password={{db.password}}
size={{size}}
template={{{{name}}
{{tls.key}}
`;
const VARIABLES = `variables:
  - { name: db.host, value: db.example }
  - { name: db.host, value: db.dc, environment: dc }
  - { name: db.host, value: db.dc-2, environment: dc, zone: dc-2 }
  - { name: db.host, value: db.elsewhere, environment: other, zone: dc-1 }
  - { name: db.password, secret: { source: env, name: DB_PASSWORD } }
  - { name: tls.key, secret: { source: env, name: TLS_KEY } }
  - { name: size, value: "$(touch x);\`touch y\`" }
`;

describe('property files', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.13',
      hosts: 4,
      zones: 2,
      versions: ['v1'],
      minInService: 1,
      strategy: '{ canary: 0, batches: "100%", parallel: 2, settleMs: 0 }',
      env: { DB_PASSWORD: PASSWORD, TLS_KEY: KEY },
      project: `commands: { reload: [sh, -c, 'cat current/conf/app.properties; kill -HUP "$(cat "$HOME/app.pid")"'] }`,
    });
  });
  after(() => estate?.stop());

  const artifact = () => join(estate.dataFolder, '../releases/sample-v1.tar.gz');
  const releaseOf = (
    version: string,
    { properties = PROPERTIES, variables = VARIABLES } = {},
  ) => `kind: release
project: ${PROJECT}
version: ${version}
artifacts: [{ name: app.tar.gz, path: ${artifact()}, unpack: tar.gz }]
files:
  - { path: app.json, mode: "0644", content: ${JSON.stringify(APP)} }
  - { path: conf/app.properties, content: ${JSON.stringify(properties)} }
${variables}`;
  const apply = async (text: string) => {
    const file = join(estate.dataFolder, '../release.yaml');
    await writeFile(file, text);
    return estate.edge('apply', '-f', file, '--json');
  };
  const inCurrent = ({ sshd: host }: EstateTarget, path: string) => join(host.home, 'shop/current', path);

  /** What has to be on a target, written down without any of what Edge makes it with. */
  const expected = ({ name, sshd: host, appPort }: EstateTarget, release: string, size: string) => {
    const zone = estate.zones['dc-1']?.includes(name) ? 'dc-1' : 'dc-2';
    return `# shop ${release} on ${name} (${zone}, ${host.address}:${appPort})
db.host=${zone === 'dc-2' ? 'db.dc-2' : 'db.dc'}
db.password=${PASSWORD}
size=${size}
template={{name}}
${KEY}
`;
  };
  const idOf = async (version: string) => {
    const { releases } = jsonOf(expectDone(await estate.edge('releases', PROJECT, '--json'))) as {
      readonly releases: readonly { readonly id: string; readonly version: string }[];
    };
    return releases.find((release) => release.version === version)?.id ?? '';
  };
  /** Every byte as planned, proven by digests of what is on the hosts. */
  const allOn = async (version: string, size: string) => {
    assert.deepEqual(await estate.served(), [version, version, version, version]);
    const release = await idOf(version);
    for (const target of estate.targets) {
      const path = inCurrent(target, 'conf/app.properties');
      assert.equal(sha256(await readFile(path)), sha256(expected(target, release, size)), target.name);
      assert.equal((await stat(path)).mode & 0o777, 0o640);
      const app = `{"version":"${version}","startupDelayMs":200,"broken":false}\n`;
      assert.equal(sha256(await readFile(inCurrent(target, 'app.json'))), sha256(app));
    }
  };
  const newest = async () => {
    const { deployments } = jsonOf(expectDone(await estate.edge('history', ...PLACE, '--json'))) as {
      readonly deployments: readonly { readonly id: string }[];
    };
    return [deployments[0]?.id ?? ''];
  };
  const SIZE = '$(touch x);`touch y`';

  test('«files as templates with variables scoped environment × project × zone × target, secrets by reference» are on every target byte for byte, with the artifact', async () => {
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    expectDone(await apply(releaseOf('v2')));
    expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--json'));
    await allOn('v2', SIZE);
  });

  test('«property files are rolled out alone, by reload or restart, or with the artifact»: a change of variables alone is a release of its own, for one target as well, and a rollback brings back every byte', async () => {
    const [first] = estate.targets;
    assert.ok(first);
    const variables = `${VARIABLES}  - { name: size, value: large, environment: dc, target: ${first.name} }\n`;
    expectDone(await apply(releaseOf('v3', { variables })));
    expectDone(await estate.edge('deploy', ...PLACE, 'v3', '--yes', '--json'));
    const release = await idOf('v3');
    for (const target of estate.targets) {
      const sizeHere: string = target === first ? 'large' : SIZE;
      const seen = await readFile(inCurrent(target, 'conf/app.properties'), 'utf8');
      assert.equal(seen, expected(target, release, sizeHere));
    }
    expectDone(await estate.edge('rollback', ...PLACE, '--yes', '--json'));
    await allOn('v2', SIZE);
  });

  test('«`edge diff` shows per target what would change on disk, secrets masked»', async () => {
    const plain = expectDone(await estate.edge('diff', ...PLACE, 'v3')).stdout;
    assert.equal(plain.includes(PASSWORD) || plain.includes('line one'), false);
    assert.match(plain, /^web-1: v2-\w+ → v3-\w+$/m);
    assert.match(plain, /^ {4}-size=\$\(touch x\);`touch y`\n {4}\+size=large$/m);
    assert.match(plain, /db\.password=\*\*\*\(env DB_PASSWORD\)/);
    const { differences, same } = jsonOf(
      expectDone(await estate.edge('diff', ...PLACE, 'v2', '--targets', 'web-2,web-3', '--json')),
    ) as { readonly differences: readonly unknown[]; readonly same: readonly string[] };
    assert.deepEqual([differences, same], [[], ['web-2', 'web-3']]);
  });

  test('«the plan freezes the digest of the property files of each target»', async () => {
    const digests = async (version: string) => {
      const { plan } = jsonOf(
        expectDone(await estate.edge('plan', ...PLACE, version, '--force', '--json')),
      ) as Output<'plan'>;
      return new Map(
        plan.targets.map(({ name, filesFor }) => [name, filesFor?.digests[releaseId(plan.release ?? '')]]),
      );
    };
    const [before, after] = [await digests('v2'), await digests('v3')];
    for (const digest of [...before.values(), ...after.values()])
      assert.match(digest ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(await digests('v2'), before, 'the same release makes the same files');
    assert.equal(new Set(before.values()).size, estate.targets.length, 'each target has files of its own');
    const edited = await apply(releaseOf('v3', { variables: VARIABLES.replace('db.dc-2', 'db.other') }));
    const { error } = jsonOf(edited) as { readonly error: ErrorBody };
    assert.deepEqual([edited.status, error.code], [5, 'release_exists']);
    assert.deepEqual(await digests('v3'), after);
  });

  test('«property files are rolled out alone, by reload or restart, or with the artifact»: a reload changes the files under a service that goes on', async () => {
    const pids = () =>
      Promise.all(estate.targets.map(({ sshd: host }) => readFile(join(host.home, 'app.pid'), 'utf8')));
    const before = await pids();
    const variables = VARIABLES.replace(/name: size, .*/, 'name: size, value: reloaded }');
    expectDone(await apply(releaseOf('v2-reloaded', { variables })));
    expectDone(await estate.edge('deploy', ...PLACE, 'v2-reloaded', '--reload', '--yes', '--json'));
    await allOn('v2-reloaded', 'reloaded');
    const { stdout } = expectDone(await estate.edge('logs', ...(await newest())));
    assert.match(stdout, /db\.password=\*\*\*/, 'what a command prints of its files is masked');
    for (const line of [PASSWORD, ...KEY.split('\n')]) assert.equal(stdout.includes(line), false);
    assert.deepEqual(await pids(), before, 'no service was stopped');
    expectDone(await estate.edge('rollback', ...PLACE, '--yes', '--json'));
    await allOn('v2', SIZE);
    expectDone(await apply(`kind: release\nproject: ${PROJECT}\nversion: v2-bare\n`));
    const refused = await estate.edge('deploy', ...PLACE, 'v2-bare', '--reload', '--yes', '--json');
    const { error } = jsonOf(refused) as { readonly error: ErrorBody };
    assert.deepEqual([refused.status, error.code], [5, 'reload_impossible']);
    assert.match(error.message, /web-1 has other artifacts \(v2\) than v2-bare/);
  });

  test('what a hand changed is as it was planned after the release is put there again', async () => {
    for (const target of estate.targets) {
      const path = inCurrent(target, 'conf/app.properties');
      await writeFile(path, 'db.host=by.hand\n');
      await chmod(path, 0o666);
    }
    expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--force', '--yes', '--json'));
    await allOn('v2', SIZE);
  });

  test('a rollback to a release without files leaves none', async () => {
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    for (const target of estate.targets)
      assert.equal((await readdir(inCurrent(target, '.'))).includes('conf'), false);
  });

  test('a variable without a value there is refused before anything is touched, with every target and line', async () => {
    const variables = VARIABLES.replace('value: "$', 'environment: other, value: "$');
    expectDone(await apply(releaseOf('v4', { variables })));
    const before = dumpDatabase(estate.dataFolder);
    const refused = await estate.edge('deploy', ...PLACE, 'v4', '--yes', '--json');
    const { error } = jsonOf(refused) as { readonly error: ErrorBody };
    assert.deepEqual([refused.status, error.code], [5, 'variable_undefined']);
    assert.match(
      error.message,
      /conf\/app\.properties of v4 .* web-1: line 4: \{\{size\}\} has no value here/,
    );
    assert.deepEqual(dumpDatabase(estate.dataFolder), before);
    assert.deepEqual(await estate.served(), ['v1', 'v1', 'v1', 'v1']);
  });

  test('a template that names what nobody defines is no release', async () => {
    const refused = await apply(releaseOf('v5', { properties: 'a\nb={{hots}}\nc={{' }));
    const { error } = jsonOf(refused) as { readonly error: ErrorBody };
    assert.deepEqual([refused.status, error.code], [2, 'config_invalid']);
    assert.match(error.message, /conf\/app\.properties: line 2: \{\{hots\}\} is not defined/);
    assert.equal(error.also?.length, 1);
  });

  test('no secret is in the database, and no command was made of a value', async () => {
    const dump = JSON.stringify(dumpDatabase(estate.dataFolder));
    for (const secret of [PASSWORD, KEY.split('\n')[1] ?? '']) assert.equal(dump.includes(secret), false);
    for (const { sshd: host } of estate.targets)
      assert.deepEqual(
        (await readdir(host.home)).filter((name) => name === 'x' || name === 'y'),
        [],
      );
  });
});

describe('property files beside an install command of the team', {
  skip: sshd.skip ?? haproxy.skip ?? false,
}, () => {
  test('are there before that command runs, for each target its own, and go back with it', async () => {
    const estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.14',
      hosts: 2,
      versions: [],
      minInService: 0,
      balancer: 'none',
      strategy: '{ canary: 0, batches: "100%", parallel: 2, settleMs: 0 }',
      project:
        'commands: { stop: ["true"], start: ["true"], install: [sh, -c, "cp properties/current/app.conf installed"] }',
    });
    try {
      const file = join(estate.dataFolder, '../release.yaml');
      const put = async (version: string, value: string) => {
        const content = `${value} on {{edge.target}}\n`;
        await writeFile(
          file,
          JSON.stringify({
            ...{ kind: 'release', project: PROJECT, version, files: [{ path: 'app.conf', content }] },
          }),
        );
        expectDone(await estate.edge('apply', '-f', file, '--json'));
        expectDone(await estate.edge('deploy', ...PLACE, version, '--hard', '--yes', '--json'));
      };
      const installed = () =>
        Promise.all(
          estate.targets.map(({ sshd: host }) => readFile(join(host.home, 'shop/installed'), 'utf8')),
        );
      for (const { sshd: host } of estate.targets) await mkdir(join(host.home, 'shop'), { mode: 0o777 });
      for (const { sshd: host } of estate.targets) await chmod(join(host.home, 'shop'), 0o777);
      await put('one', 'first');
      assert.deepEqual(await installed(), ['first on web-1\n', 'first on web-2\n']);
      await put('two', 'second');
      assert.deepEqual(await installed(), ['second on web-1\n', 'second on web-2\n']);
      expectDone(await estate.edge('rollback', ...PLACE, '--hard', '--yes', '--json'));
      assert.deepEqual(await installed(), ['first on web-1\n', 'first on web-2\n']);
    } finally {
      await estate.stop();
    }
  });
});
