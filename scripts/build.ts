// Makes the package that is published, in dist/. In a clone nothing else needs it: there Edge runs from src/.
import { join } from 'node:path';
import { buildPackage } from './package.ts';
import { projectRoot } from './project.ts';

await buildPackage(join(projectRoot, 'dist'));
console.log(
  'dist/ holds the package: `npm pack ./dist` makes a file of it, which `npm install --global` takes.',
);
