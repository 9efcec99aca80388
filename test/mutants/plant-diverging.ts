// Preloaded (`node --import ./test/mutants/plant-diverging.ts …`): observes every guard of the engine as it is loaded, so that
// `seeds.ts` can tell for each seed which guards it would miss.
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../scripts/project.ts';
import { DIVERGED } from './diverged.ts';
import { OBSERVER, observed, observerOf } from './diverging.ts';
import { findGuards } from './guards.ts';

const sources = new Map(
  [...Map.groupBy(findGuards(), ({ file }) => file)].map(([file, guards]) => {
    const path = join(projectRoot, file);
    return [pathToFileURL(path).href, observed(readFileSync(path, 'utf8'), guards)];
  }),
);
Reflect.set(globalThis, OBSERVER, observerOf(DIVERGED));

registerHooks({
  load(url, context, nextLoad) {
    const source = sources.get(url);
    if (source === undefined) return nextLoad(url, context);
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});
