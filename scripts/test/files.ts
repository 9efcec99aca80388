import { globSync } from 'node:fs';

/** Tests that start processes, cut connections or kill things: each file in a process of its own, one at a time. */
const isolated = [/^test\/(e2e|crash|simulation)\//, /\.e2e\.test\.ts$/];

export const isIsolated = (file: string): boolean => isolated.some((pattern) => pattern.test(file));

/** All test files below `root`, or those that the arguments name: a file, or a folder with all below it. */
export function testFiles(root: string, wanted: readonly string[]): string[] {
  const all = globSync('{src,web/src,test,bench,scripts}/**/*.test.ts', { cwd: root }).sort();
  if (wanted.length === 0) return all;
  return wanted.flatMap((argument) => {
    const path = argument.replace(/^\.\//, '').replace(/\/$/, '');
    const found = all.filter((file) => file === path || file.startsWith(`${path}/`));
    if (found.length === 0) throw new Error(`no test file is ${path} or below it`);
    return found;
  });
}
