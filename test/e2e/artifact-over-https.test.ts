import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { ErrorBody } from '../../src/domain/errors.ts';
import { buildReleases } from '../../src/lab/releases.ts';
import { startArtifactSource } from '../support/artifact-source.ts';
import { edge, jsonOf } from '../support/edge-process.ts';
import { expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const TLS = join(import.meta.dirname, '../fixtures/tls');
const CERT = join(TLS, 'device-cert.pem');
const PLACE = [PROJECT, ENVIRONMENT] as const;

test('«artifacts over HTTP(S), with credentials by reference and a digest»: over HTTPS, from whom the machine trusts', {
  skip: sshd.skip ?? haproxy.skip ?? false,
}, async () => {
  await using ends = new AsyncDisposableStack();
  const tls = { key: await readFile(join(TLS, 'device-key.pem')), cert: await readFile(CERT) };
  const source = await startArtifactSource('127.0.0.1', tls);
  ends.defer(source.close);
  const trusting = { NODE_EXTRA_CA_CERTS: CERT, NEXUS: 'ann:s3cret-of-nexus' };
  const estate = await openEstate({
    ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.72.43', hosts: 1 },
    ...{ versions: [], minInService: 0, server: false, env: trusting },
    strategy: '{ canary: 0, settleMs: 0 }',
  });
  ends.defer(estate.stop);
  const app = { version: 'v1', startupDelayMs: 200, broken: false };
  const [built] = await buildReleases(join(estate.dataFolder, '../releases'), [app]);
  const bytes = await readFile(built?.path ?? '');
  source.files.set('/app.tar.gz', bytes);
  source.authorization = `Basic ${Buffer.from(trusting.NEXUS).toString('base64')}`;
  const artifact = {
    ...{ name: 'app.tar.gz', url: `${source.url}/app.tar.gz`, unpack: 'tar.gz' },
    credentials: { source: 'env', name: 'NEXUS' },
  };
  const file = join(estate.dataFolder, '../release.json');
  const release = async (sha256: string) => {
    const artifacts = [{ ...artifact, sha256 }];
    await writeFile(file, JSON.stringify({ kind: 'release', project: PROJECT, version: 'v1', artifacts }));
    return ['apply', '-f', file, '--json'];
  };
  const right = await release(createHash('sha256').update(bytes).digest('hex'));
  const strange = await edge(right, { dataFolder: estate.dataFolder, env: { NEXUS: trusting.NEXUS } });
  const { error: untrusted } = jsonOf(strange) as { readonly error: ErrorBody };
  assert.match(untrusted.code, /^artifact_/);
  assert.deepEqual(source.asked, [], 'nothing was sent to whom nobody trusts');
  const other = await estate.edge(...(await release('0'.repeat(64))));
  const { error } = jsonOf(other) as { readonly error: ErrorBody };
  assert.equal(error.code, 'artifact_mismatch');
  await release(createHash('sha256').update(bytes).digest('hex'));
  expectDone(await estate.edge(...right));
  expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  assert.deepEqual(await estate.served(), ['v1']);
});
