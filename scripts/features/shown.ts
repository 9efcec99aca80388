// Which end-to-end tests show which promise: the titles of the tests bear its words between « and ».
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BALANCERS, type Balancer, type PromiseMade } from '../../test/promises.ts';
import { testFiles } from '../test/files.ts';
import type { Collected } from './collect.ts';

/** A test that shows a promise; `on` are the balancers that its title names. */
export type Showing = { readonly file: string; readonly title: string; readonly on: readonly Balancer[] };

export type Shown = PromiseMade & {
  readonly tests: readonly Showing[];
  /** What is missing, in words. */
  readonly missing: readonly string[];
};

export type Features = {
  readonly promises: readonly Shown[];
  /** What is marked and is no promise, or not in an end-to-end test. */
  readonly strays: readonly string[];
};

/** Tests against real servers, or against the double of an F5. Any other has too little of the world to show a promise. */
const END_TO_END = [
  /^test\/e2e\//,
  /\.e2e\.test\.ts$/,
  /^src\/adapters\/f5\//,
  /^test\/tools\/guides\.test\.ts$/,
];

const isEndToEnd = (file: string): boolean => END_TO_END.some((pattern) => pattern.test(file));

/** Asks the tests below `root` for their titles and holds them against the promises. */
export async function features(root: string, promises: readonly PromiseMade[]): Promise<Features> {
  const files = testFiles(root, []);
  const found = judge(promises, await collect(root, files.filter(isEndToEnd)));
  return { ...found, strays: [...found.strays, ...marksElsewhere(root, files)] };
}

const run = promisify(execFile);

async function collect(root: string, files: readonly string[]): Promise<readonly Collected[]> {
  const script = join(root, 'scripts/features/collect.ts');
  const { stdout } = await run(process.execPath, [script, ...files], { cwd: root, maxBuffer: 64_000_000 });
  return JSON.parse(stdout);
}

/** Which of the declared tests show which promise. A test that is always skipped shows nothing. */
export function judge(promises: readonly PromiseMade[], tests: readonly Collected[]): Features {
  const marked = tests.filter(({ skipped }) => !skipped).flatMap(marksOf);
  const known = new Set(promises.map(({ words }) => words));
  const strays = marked.filter(({ words }) => !known.has(words));
  return {
    promises: promises.map((promise) => shown(promise, marked)),
    strays: strays.map(({ words, file }) => `«${words}» in ${file} is no promise`),
  };
}

type Marked = Showing & { readonly words: string };

function marksOf({ file, titles }: Collected): readonly Marked[] {
  const title = titles.join(' > ');
  const on = BALANCERS.filter((balancer) => title.includes(balancer));
  return wordsIn(title).map((words) => ({ file, title, on, words }));
}

const wordsIn = (text: string): readonly string[] =>
  [...text.matchAll(/«([^»]*)»/g)].map(([, words = '']) => words);

function shown(promise: PromiseMade, marked: readonly Marked[]): Shown {
  const tests = marked.filter(({ words }) => words === promise.words);
  const covered = new Set(tests.flatMap(({ on }) => on));
  const nowhere = tests.length === 0 ? ['no test'] : [];
  const missing =
    promise.on?.flatMap((balancer) => (covered.has(balancer) ? [] : [`no test on ${balancer}`])) ?? nowhere;
  return { ...promise, tests: tests.map(({ file, title, on }) => ({ file, title, on })), missing };
}

function marksElsewhere(root: string, files: readonly string[]): readonly string[] {
  return files
    .filter((file) => !isEndToEnd(file) && !file.startsWith('test/tools/features'))
    .filter((file) => wordsIn(readFileSync(join(root, file), 'utf8')).length > 0)
    .map((file) => `${file} marks a promise, and is no end-to-end test`);
}
