// What npm itself lets pass, and what then breaks an install elsewhere.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './project.ts';

interface Entry {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Readonly<Record<string, Entry>>;
}

/** Says what is wrong with a lock file, one line each. */
export function lockProblems(lock: Lock): string[] {
  const entries = Object.entries(lock.packages);
  return entries.flatMap(([path, entry]) => [
    ...foreignSource(path, entry),
    ...missingOptional(lock, path, Object.keys(entry.optionalDependencies ?? {})),
  ]);
}

/** The lock names no host, so that any mirror can serve it: every package comes from the registry that npm is set to. */
function foreignSource(path: string, { resolved, link }: Entry): string[] {
  if (resolved === undefined || link) return [];
  return [`${path} is pinned to ${resolved}; run npm install with this project's .npmrc`];
}

/** npm drops an optional dependency in silence when the registry lacks the version; `npm ci` then fails elsewhere. */
function missingOptional(lock: Lock, path: string, names: readonly string[]): string[] {
  const isMissing = (name: string) => !candidates(path, name).some((place) => lock.packages[place]);
  return names.filter(isMissing).map((name) => `${path || 'package.json'} wants ${name}, which has no entry`);
}

/** Where Node looks for a package, from the folder of the one that asks up to the root. */
function candidates(path: string, name: string): string[] {
  const parents = path
    .split('/node_modules/')
    .map((_, i, parts) => parts.slice(0, i + 1).join('/node_modules/'));
  return [
    ...parents.filter(Boolean).map((parent) => `${parent}/node_modules/${name}`),
    `node_modules/${name}`,
  ];
}

if (import.meta.main) {
  const lock: Lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'));
  const problems = lockProblems(lock);
  for (const problem of problems) console.log(`package-lock.json: ${problem}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
