import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { buildPackage } from '../../scripts/package.ts';
import { projectRoot } from '../../scripts/project.ts';

/**
 * Builds the package and puts it where `npm install` would, in `folder`, with the dependencies of this project beside it. Gives its
 * program.
 */
export async function installEdge(folder: string): Promise<string> {
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '@edge-deploy'), { recursive: true });
  for (const name of await readdir(join(projectRoot, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  const root = join(modules, '@edge-deploy/edge');
  await buildPackage(root);
  return join(root, 'bin/edge');
}
