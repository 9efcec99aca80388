// Writes the generated documentation; with --check says what is stale and writes nothing.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cli } from './docs/cli.ts';
import { configuration } from './docs/configuration.ts';
import { errors } from './docs/errors.ts';
import { folderGraph } from './docs/folder-graph.ts';
import type { Generator, Piece } from './docs/piece.ts';
import { promises } from './docs/promises.ts';
import { replaceRegion } from './docs/regions.ts';
import { transitions } from './docs/transitions.ts';
import { projectRoot } from './project.ts';

const generators: readonly Generator[] = [folderGraph, transitions, errors, configuration, cli, promises];

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

/** The file's text as it should be once the piece is in it. */
function wanted(current: string, { path, region, content }: Piece): string {
  if (region === undefined) return content.endsWith('\n') ? content : `${content}\n`;
  try {
    return replaceRegion(current, region, content);
  } catch (error) {
    throw new Error(`${path} ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/** Path -> text before and after all pieces; several pieces may share a file. */
async function plannedFiles(root: string): Promise<Map<string, { before: string; after: string }>> {
  const pieces = (await Promise.all(generators.map((generate) => generate(root)))).flat();
  const files = new Map<string, { before: string; after: string }>();
  for (const piece of pieces) {
    const before = files.get(piece.path)?.before ?? readIfThere(join(root, piece.path));
    const after = wanted(files.get(piece.path)?.after ?? before, piece);
    files.set(piece.path, { before, after });
  }
  return files;
}

function write(root: string, path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const checkOnly = process.argv.includes('--check');
const files = await plannedFiles(projectRoot);
const stale = [...files].filter(([, { before, after }]) => before !== after);
for (const [path, { after }] of stale) {
  if (!checkOnly) write(projectRoot, path, after);
  console.log(checkOnly ? `${path} is stale: run npm run docs` : `wrote ${path}`);
}
if (!checkOnly && stale.length === 0) console.log(`${files.size} generated files are fresh`);
process.exitCode = checkOnly && stale.length > 0 ? 1 : 0;
