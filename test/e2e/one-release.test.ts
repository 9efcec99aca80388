import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { requireService } from '../../scripts/services.ts';
import { sha256 } from '../../src/lib/hash.ts';
import { jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, type EstateTarget, PROJECT } from '../support/estate-configuration.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const run = promisify(execFile);
const PLACE = [PROJECT, ENVIRONMENT] as const;
const HOSTS = 20;
const PASSWORD = "it's $(touch x) and \\n";

const TEMPLATE = 'on={{edge.target}}\nlimit={{limit}}\nregion={{region}}\npassword={{password}}\n';
type Values = { readonly limit: string; readonly own: string };
const BEFORE: Values = { limit: '10', own: '11' };
const AFTER: Values = { limit: '20', own: '21' };

/** Artifact, property files and variables are one release: put there, changed, found to have drifted, and taken back as one. */
describe('«artifact, property files and variables are one release: to the last byte on 20 targets»', {
  skip: sshd.skip ?? haproxy.skip ?? false,
}, () => {
  let estate: Estate;
  /** Digests of what is in the artifact, by path. */
  let unpacked: ReadonlyMap<string, string>;
  const parent = () => join(estate.dataFolder, '..');
  const current = ({ sshd: host }: EstateTarget, path = '') => join(host.home, 'shop/current', path);

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.72.35', hosts: HOSTS },
      ...{ zones: 2, versions: ['v1'], minInService: '50%', env: { DB_PASSWORD: PASSWORD } },
      strategy: '{ canary: 1, batches: ["50%", "100%"], parallel: 5, settleMs: 0 }',
      project: `commands: { reload: [sh, -c, 'kill -HUP "$(cat "$HOME/app.pid")"'] }`,
    });
    const folder = join(parent(), 'unpacked');
    await mkdir(folder);
    await run('tar', ['-xzf', join(parent(), 'releases/sample-v1.tar.gz'), '-C', folder]);
    unpacked = await digestsBelow(folder);
    for (const [version, values] of [
      ['one', BEFORE],
      ['two', AFTER],
    ] as const)
      await apply(version, values);
  });
  after(() => estate?.stop());

  /** The artifact is the same; what its health page shows comes from a file of it. */
  const apply = async (version: string, { limit, own }: Values) => {
    const file = join(parent(), `${version}.yaml`);
    await writeFile(
      file,
      `kind: release
project: ${PROJECT}
version: ${version}
reports: v1
artifacts: [{ name: app.tar.gz, path: ${join(parent(), 'releases/sample-v1.tar.gz')}, unpack: tar.gz }]
files:
  - { path: conf/app.conf, content: ${JSON.stringify(TEMPLATE)} }
variables:
  - { name: limit, value: "${limit}" }
  - { name: limit, value: "${own}", environment: ${ENVIRONMENT}, target: web-7 }
  - { name: region, value: everywhere }
  - { name: region, value: second, environment: ${ENVIRONMENT}, zone: dc-2 }
  - { name: password, secret: { source: env, name: DB_PASSWORD } }
`,
    );
    expectDone(await estate.edge('apply', '-f', file, '--json'));
  };
  const wanted = ({ name }: EstateTarget, { limit, own }: Values) =>
    `on=${name}\nlimit=${name === 'web-7' ? own : limit}\n` +
    `region=${estate.zones['dc-2']?.includes(name) ? 'second' : 'everywhere'}\npassword=${PASSWORD}\n`;

  /** Every byte on every target as planned: no file more, none less, and each with its digest. */
  const allOn = async (values: Values) => {
    for (const target of estate.targets) {
      const found = await digestsBelow(current(target));
      const files = new Map([...unpacked, ['conf/app.conf', sha256(wanted(target, values))]]);
      assert.deepEqual(found, new Map([...files].toSorted()), target.name);
    }
  };
  const pids = () =>
    Promise.all(estate.targets.map(({ sshd: host }) => readFile(join(host.home, 'app.pid'), 'utf8')));
  const drift = async () => {
    const end = await estate.edge('drift', ...PLACE, '--json');
    const { findings } = jsonOf(end) as {
      readonly findings: readonly {
        readonly state: string;
        readonly differs: readonly { readonly path: string; readonly how: string }[];
        readonly targets: readonly string[];
      }[];
    };
    const drifted = findings
      .filter(({ state }) => state !== 'same')
      .map(({ differs, targets }) => [differs.map(({ path, how }) => `${path} ${how}`).toSorted(), targets]);
    return { status: end.status, drifted };
  };

  test('is on each of them to the last byte', async () => {
    expectDone(await estate.edge('deploy', ...PLACE, 'one', '--yes', '--json'));
    await allOn(BEFORE);
    assert.deepEqual(await drift(), { status: 0, drifted: [] });
  });

  test('changes its properties alone by a reload, with every process running on', async () => {
    const running = await pids();
    expectDone(await estate.edge('deploy', ...PLACE, 'two', '--reload', '--yes', '--json'));
    await allOn(AFTER);
    assert.deepEqual(await pids(), running);
  });

  test('is found to have drifted exactly where hands have been, and is whole again after a rollback', async () => {
    const [first, second] = [estate.targets[3], estate.targets[11]];
    assert.ok(first && second);
    await appendFile(current(first, 'conf/app.conf'), 'by hand\n');
    await rm(current(second, 'conf/app.conf'));
    assert.deepEqual(await drift(), {
      status: 1,
      drifted: [
        [['conf/app.conf changed'], [first.name]],
        [['conf/app.conf missing'], [second.name]],
      ],
    });
    expectDone(await estate.edge('rollback', ...PLACE, '--yes', '--json'));
    await allOn(BEFORE);
    assert.deepEqual(await drift(), { status: 0, drifted: [] });
  });
});

/** Of all that is a file below, but for what Edge notes there of itself. */
async function digestsBelow(folder: string): Promise<ReadonlyMap<string, string>> {
  const all = await readdir(`${folder}/`, { recursive: true, withFileTypes: true });
  const names = all
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !name.startsWith('.edge-'));
  const digests = await Promise.all(
    names.map(async (name) => [name, sha256(await readFile(join(folder, name)))] as const),
  );
  return new Map(digests.toSorted());
}
