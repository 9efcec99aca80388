import assert from 'node:assert/strict';
import type { PlannedFiles } from '../../src/domain/plan.ts';
import { filesDigest, makeFiles } from '../../src/domain/property-file.ts';

/** A release of one archive, as a plan gives it to the actions that bring it to a host. */
export const ARTIFACT = {
  name: 'web.tar.gz',
  path: '/artifacts/web.tar.gz',
  sha256: 'ab'.repeat(32),
  sizeBytes: 10,
  unpack: 'tar.gz',
} as const;
export const RELEASE = { id: '2.0-abcdef01', version: '2.0', hash: 'abcdef01', artifacts: [ARTIFACT] };

/** What a plan holds of one file of it with this template, which may name the secret `password`, on a target. */
export function plannedFile(template: string): PlannedFiles {
  const files = [{ path: 'conf/web.conf', mode: '0640', template }];
  const variables = [{ name: 'password', secret: { source: 'env', name: 'PASSWORD' } as const }];
  const place = {
    ...{ project: 'web', environment: 'prod', zone: 'east', target: 'web-1', address: 'web-1', port: null },
    ...{ version: RELEASE.version, release: RELEASE.id },
  };
  const made = makeFiles({ files, variables }, place);
  assert.ok(made.kind === 'made');
  return { files, variables, place, digest: filesDigest(made.files) };
}
