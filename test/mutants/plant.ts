// Preloaded (`node --import ./test/mutants/plant.ts …`) with EDGE_MUTANT naming a bug of `mutants.ts` or a guard of
// `guards.ts`: patches the sources of that one bug as they are loaded. Production code carries nothing of it.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { projectRoot } from '../../scripts/project.ts';
import { patched } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** Exit status of a process that ran without the bug that it was to run with. */
const NOT_PLANTED = 70;

const name = process.env.EDGE_MUTANT;
if (name === undefined) throw new Error('EDGE_MUTANT names no bug to plant');
const sources = await patchedSources(name);
const missing = new Set(sources.keys());

registerHooks({
  load(url, context, nextLoad) {
    const source = sources.get(url);
    if (source === undefined) return nextLoad(url, context);
    missing.delete(url);
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});

if (isMainThread) {
  process.on('exit', () => {
    if (missing.size === 0) return;
    console.error(
      `the bug ${name} was not planted, since these were never loaded: ${[...missing].join(', ')}`,
    );
    process.exitCode = NOT_PLANTED;
  });
}

/** By address of the file, as it is loaded. */
async function patchedSources(wanted: string): Promise<ReadonlyMap<string, string>> {
  const mutant = MUTANTS.find((one) => one.name === wanted);
  if (mutant) {
    const files = Map.groupBy(mutant.edits, ({ file }) => file);
    return new Map([...files].map(([file, edits]) => [urlOf(file), patched(sourceOf(file), edits)]));
  }
  // Only where a guard is wanted: finding them takes the TypeScript compiler.
  const { findGuards, withoutGuard } = await import('./guards.ts');
  const guard = findGuards().find((one) => one.name === wanted);
  if (!guard) throw new Error(`there is no planted bug ${wanted}`);
  return new Map([[urlOf(guard.file), withoutGuard(sourceOf(guard.file), guard)]]);
}

function sourceOf(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}

function urlOf(file: string): string {
  return pathToFileURL(join(projectRoot, file)).href;
}
