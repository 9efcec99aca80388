import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bytesOf, planned } from '../../../test/contracts/artifacts.ts';
import { startArtifactSource } from '../../../test/support/artifact-source.ts';
import { artifactsIn } from '../../../test/support/artifacts.ts';
import { perTest } from '../../../test/support/per-test.ts';
import { sha256 } from '../../lib/hash.ts';
import { buildIn } from './maven.ts';

const FOLDER = '/repository/com/example/shop';
const BYTES = randomBytes(20_000);
const KEPT = { as: 'kept', signal: new AbortController().signal } as const;

const opened = perTest(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-maven-'));
  const source = await startArtifactSource();
  const put = (path: string, content: string | Uint8Array) =>
    source.files.set(`${FOLDER}/${path}`, Buffer.from(content));
  const maven = (version: string, more = {}) => ({
    maven: {
      repository: `${source.url}/repository/`,
      group: 'com.example',
      artifact: 'shop',
      version,
      ...more,
    },
  });
  const dispose = async () => {
    await source.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, source, put, maven, artifacts: artifactsIn(folder), dispose };
});

const metadata = (inner: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><metadata><versioning>${inner}</versioning></metadata>`;
const built = (value: string, extension = 'jar', classifier?: string) =>
  `<snapshotVersion>${classifier ? `<classifier>${classifier}</classifier>` : ''}
   <extension>${extension}</extension><value>${value}</value><updated>20260301120000</updated></snapshotVersion>`;

describe('an artifact of a Maven repository', () => {
  test('is the file at its place in the layout', async () => {
    const { artifacts, source, put, maven } = await opened();
    put('1.2.0/shop-1.2.0.jar', BYTES);
    put('1.2.0/shop-1.2.0-linux.tar.gz', 'linux');
    const jar = await planned(artifacts, maven('1.2.0'));
    assert.deepEqual(jar, {
      ...{ name: 'a.bin', unpack: 'none', sha256: sha256(BYTES), sizeBytes: BYTES.length },
      ...{ url: `${source.url}${FOLDER}/1.2.0/shop-1.2.0.jar`, maven: 'com.example:shop:jar:1.2.0' },
    });
    const linux = await planned(artifacts, maven('1.2.0', { classifier: 'linux', extension: 'tar.gz' }));
    assert.equal(linux.sha256, sha256('linux'));
    await assert.rejects(planned(artifacts, maven('1.3.0')), { code: 'artifact_unreadable', message: /404/ });
  });

  test('of a SNAPSHOT is the newest build when the release is made, and stays that', async () => {
    const { artifacts, folder, source, put, maven } = await opened();
    put('2-SNAPSHOT/shop-2-20260301.120000-7.jar', BYTES);
    put('2-SNAPSHOT/shop-2-20260301.120000-6-linux.zip', 'linux');
    const builds = [built('2-20260301.120000-6', 'zip', 'linux'), built('2-20260301.120000-7')];
    put('2-SNAPSHOT/maven-metadata.xml', metadata(`<snapshotVersions>${builds.join('')}</snapshotVersions>`));
    const jar = await planned(artifacts, maven('2-SNAPSHOT'));
    assert.equal('url' in jar && jar.url, `${source.url}${FOLDER}/2-SNAPSHOT/shop-2-20260301.120000-7.jar`);
    const linux = await planned(artifacts, maven('2-SNAPSHOT', { classifier: 'linux', extension: 'zip' }));
    assert.equal(linux.sha256, sha256('linux'));
    put(
      '2-SNAPSHOT/maven-metadata.xml',
      metadata(`<snapshotVersions>${built('2-20260401.120000-8')}</snapshotVersions>`),
    );
    const worker = artifactsIn(join(folder, 'worker'));
    assert.deepEqual(await worker.hold(jar, KEPT, bytesOf), BYTES);
  });

  test('of a SNAPSHOT is found where the metadata name the newest build alone, and where there are none', async () => {
    const { artifacts, put, maven } = await opened();
    put('2-SNAPSHOT/shop-2-20260301.120000-7.jar', BYTES);
    const newest = '<snapshot><timestamp>20260301.120000</timestamp><buildNumber>7</buildNumber></snapshot>';
    put('2-SNAPSHOT/maven-metadata.xml', metadata(newest));
    assert.equal((await planned(artifacts, maven('2-SNAPSHOT'))).sha256, sha256(BYTES));
    put('3-SNAPSHOT/shop-3-SNAPSHOT.jar', 'plain');
    assert.equal((await planned(artifacts, maven('3-SNAPSHOT'))).sha256, sha256('plain'));
  });

  test('never leaves its folder, whatever the metadata say', async () => {
    const { artifacts, source, put, maven } = await opened();
    const odd = '<snapshot><timestamp>../../evil</timestamp><buildNumber>7</buildNumber></snapshot>';
    put('2-SNAPSHOT/maven-metadata.xml', metadata(odd));
    await assert.rejects(planned(artifacts, maven('2-SNAPSHOT')), {
      code: 'artifact_unreadable',
      message: /odd build/,
    });
    assert.equal(source.asked.length, 1);
  });

  test('is told from hostile metadata in one go', () => {
    const wanted = { repository: '', group: 'a', artifact: 'a', version: '2-SNAPSHOT', extension: 'jar' };
    // Whoever began anew at each of these would not be done in a day.
    const hostile = [
      '<snapshotVersion>'.repeat(1_000_000),
      `<timestamp>${' '.repeat(16_000_000)}<`,
      `<snapshotVersion><value>${' '.repeat(16_000_000)}</snapshotVersion>`,
    ];
    for (const text of hostile) assert.equal(buildIn(text, wanted), undefined);
  });

  for (const kind of ['sha256', 'sha1'] as const) {
    test(`is compared with the ${kind} that the repository has of it`, async () => {
      const { artifacts, put, maven } = await opened();
      put('1.2.0/shop-1.2.0.jar', BYTES);
      put(
        `1.2.0/shop-1.2.0.jar.${kind}`,
        `${createHash(kind).update(BYTES).digest('hex')}  shop-1.2.0.jar\n`,
      );
      assert.equal((await planned(artifacts, maven('1.2.0'))).sha256, sha256(BYTES));
      put(`1.2.0/shop-1.2.0.jar.${kind}`, createHash(kind).update('other').digest('hex'));
      await assert.rejects(planned(artifacts, maven('1.2.0')), {
        code: 'artifact_mismatch',
        message: /repository says/,
      });
    });
  }

  test('is asked for with credentials each time', async () => {
    const { folder, source, put, maven } = await opened();
    put('2-SNAPSHOT/shop-2-SNAPSHOT.jar', BYTES);
    source.authorization = 'Bearer t0ken';
    const artifacts = artifactsIn(folder, { environment: { NEXUS: 't0ken' } });
    const credentials = { source: 'env', name: 'NEXUS' };
    assert.equal((await planned(artifacts, { ...maven('2-SNAPSHOT'), credentials })).sha256, sha256(BYTES));
    assert.deepEqual(
      new Set(source.asked.map(({ authorization }) => authorization)),
      new Set(['Bearer t0ken']),
    );
  });
});
