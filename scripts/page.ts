// Builds the page of web/ into web/dist, unless what is there was built from the same sources. `--force` builds it anyway.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { projectRoot } from './project.ts';

/** In a clone the server gives the page from here. */
export const PAGE_FOLDER = join(projectRoot, 'web/dist');

const STAMP = join(PAGE_FOLDER, '.built-from');

export type BuiltPage = {
  /** Paths of the modules that are in it. */
  readonly modules: readonly string[];
  /** What a browser loads at first, compressed. */
  readonly firstLoadBytes: number;
};

/** Makes in `folder` what browsers are given: few files, named by their digest, each beside its compressed form. */
export async function buildPage(folder: string): Promise<BuiltPage> {
  const { build } = await import('vite');
  await rm(folder, { recursive: true, force: true });
  const built = await build({
    configFile: false,
    root: join(projectRoot, 'web'),
    logLevel: 'warn',
    resolve: { alias: { 'node:crypto': join(projectRoot, 'web/src/no-crypto.ts') } },
    build: {
      ...{ outDir: folder, emptyOutDir: true, assetsInlineLimit: 0, chunkSizeWarningLimit: 1_000 },
      modulePreload: { polyfill: false },
      // "use client" is for servers that render pages; this one does not.
      rolldownOptions: {
        onLog: (level, log, next) => log.code !== 'MODULE_LEVEL_DIRECTIVE' && next(level, log),
      },
    },
  });
  const [first] = Array.isArray(built) ? built : [built];
  if (!first || !('output' in first)) throw new Error('vite has built nothing');
  const modules = first.output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  const sizes = await Promise.all(first.output.map(({ fileName }) => compress(join(folder, fileName))));
  const firstLoadBytes = sizes.reduce((sum, size) => sum + size, 0);
  return { modules, firstLoadBytes };
}

/** Once, here: a server that did it for each start would spend more than it saves. */
async function compress(path: string): Promise<number> {
  const zipped = gzipSync(await readFile(path), { level: 9 });
  await writeFile(`${path}.gz`, zipped);
  return zipped.length;
}

/** What the page is made of: its own files, what it shares with the server, and the packages. */
function sourcesDigest(): string {
  const hash = createHash('sha256');
  const files = globSync(
    [
      'web/{src,public}/**/*.*',
      'web/*.*',
      'src/{api,domain,lib}/**/*.ts',
      'scripts/page.ts',
      'package-lock.json',
    ],
    { cwd: projectRoot },
  );
  for (const file of files.sort())
    if (!file.endsWith('.test.ts')) hash.update(`${file}\n`).update(readFileSync(join(projectRoot, file)));
  return hash.digest('hex');
}

const builtFrom = (): Promise<string> => readFile(STAMP, 'utf8').catch(() => '');

/** For whoever needs the page to be there: costs next to nothing if it is. */
export async function ensurePage({ force = false } = {}): Promise<void> {
  const digest = sourcesDigest();
  if (!force && (await builtFrom()) === digest) return;
  const { firstLoadBytes } = await buildPage(PAGE_FOLDER);
  await writeFile(STAMP, digest);
  process.stderr.write(`The page is built: ${Math.round(firstLoadBytes / 1024)} kB compressed.\n`);
}

if (import.meta.main) await ensurePage({ force: process.argv.includes('--force') });
