import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../lib/hash.ts';
import type { TarEntry } from '../lib/tar.ts';
import { tarGz } from './tar-gz.ts';

/** What a release of the sample application is; becomes `app.json` in its artifact. */
export type SampleApp = {
  readonly version: string;
  /** How long it answers 503 after it listens. */
  readonly startupDelayMs: number;
  /** Its health page and its requests answer 500. */
  readonly broken: boolean;
  /** It is healthy, and so much of its requests is answered by 500 all the same: 0.05 is 5 %. */
  readonly failing?: number;
};

export type SampleRelease = { readonly version: string; readonly path: string; readonly sha256: string };

/** Two good releases, one that is ill, and one that only its clients find ill: two deployments that must roll back. */
export const SAMPLE_APPS: readonly SampleApp[] = [
  { version: 'v1', startupDelayMs: 200, broken: false },
  { version: 'v2', startupDelayMs: 200, broken: false },
  { version: 'v3', startupDelayMs: 200, broken: true },
  { version: 'v4', startupDelayMs: 200, broken: false, failing: 0.05 },
];

const SOURCE = join(import.meta.dirname, 'app');
const FILES = [
  { path: 'server.mjs', mode: 0o644 },
  { path: 'bin/common', mode: 0o644 },
  { path: 'bin/start', mode: 0o755 },
  { path: 'bin/stop', mode: 0o755 },
] as const;

/**
 * Builds one artifact per application into `folder`, as `sample-<version>.tar.gz` with server.mjs, app.json, bin/start
 * and bin/stop at its top. Equal content gives an equal digest.
 */
export async function buildReleases(
  folder: string,
  apps: readonly SampleApp[] = SAMPLE_APPS,
): Promise<readonly SampleRelease[]> {
  await mkdir(folder, { recursive: true });
  const files = await Promise.all(FILES.map(readSource));
  return Promise.all(apps.map((app) => buildRelease(folder, app, files)));
}

async function readSource(file: { path: string; mode: number }): Promise<TarEntry> {
  return { ...file, data: await readFile(join(SOURCE, file.path)) };
}

async function buildRelease(
  folder: string,
  app: SampleApp,
  files: readonly TarEntry[],
): Promise<SampleRelease> {
  const description = Buffer.from(`${JSON.stringify(app, undefined, 2)}\n`);
  const artifact = tarGz([...files, { path: 'app.json', mode: 0o644, data: description }]);
  const path = join(folder, `sample-${app.version}.tar.gz`);
  await writeFile(path, artifact);
  return { version: app.version, path, sha256: sha256(artifact) };
}
