// Holds the imports of src/, web/, test/, bench/ and scripts/ against .dependency-cruiser.mjs.
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { cruise, format, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import { projectRoot } from './project.ts';

const codeFolders = ['src', 'web/src', 'test', 'bench', 'scripts'];

/** All code files below the given folders, as paths from the root. */
export function codeFiles(root: string, folders: readonly string[]): string[] {
  return globSync(`{${folders.join(',')}}/**/*.{ts,tsx,mts,js,mjs,cjs}`, { cwd: root });
}

/** Reads every module below `root` and judges it by the rules in `root`'s configuration. */
export async function cruiseImports(root: string): Promise<ICruiseResult> {
  const folders = codeFolders.filter((folder) => existsSync(join(root, folder)));
  const { options, forbidden = [] } = await extractConfig(join(root, '.dependency-cruiser.mjs'));
  const settings: ICruiseOptions = { ...options, baseDir: root, validate: true, ruleSet: { forbidden } };
  const { output } = await cruise(folders, settings);
  if (typeof output === 'string')
    throw new Error(`dependency-cruiser gave text instead of a result: ${output}`);
  assertAllSeen(output, codeFiles(root, folders));
  return output;
}

/** With a TypeScript it does not know, dependency-cruiser sees no module and reports success. */
function assertAllSeen(result: ICruiseResult, files: readonly string[]): void {
  const seen = new Set(result.modules.map((module) => module.source));
  const unseen = files.filter((file) => !seen.has(file));
  if (unseen.length > 0) {
    throw new Error(
      `dependency-cruiser did not see ${unseen.length} of ${files.length} files: ${unseen.slice(0, 5).join(', ')}`,
    );
  }
}

if (import.meta.main) {
  const result = await cruiseImports(projectRoot);
  const { output, exitCode } = await format(result, { outputType: 'err-long' });
  console.log(String(output).trim());
  process.exitCode = exitCode > 0 ? 1 : 0;
}
