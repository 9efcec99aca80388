// Stands in for `node:test` while titles are collected: suites are entered, tests and hooks are not run.

/** A test as its file declares it: the titles of its suites and its own. */
export type Declared = { readonly titles: readonly string[]; readonly skipped: boolean };

export const declared: Declared[] = [];

type Suite = { readonly title: string; readonly skipped: boolean };
const open: Suite[] = [];

/** Arguments of node:test: a title, options and a body, each of which may be left out. */
function read(given: readonly unknown[]) {
  const title = given.find((each) => typeof each === 'string') ?? '';
  const body = given.find((each) => typeof each === 'function');
  const options = given.find((each) => typeof each === 'object' && each !== null) ?? {};
  const skipped = ['skip', 'todo'].some((name) => Boolean(Reflect.get(options, name)));
  return { title: String(title), skipped, body };
}

export function test(...given: readonly unknown[]): void {
  const { title, skipped } = read(given);
  const suites = open.map((suite) => suite.title);
  declared.push({ titles: [...suites, title], skipped: skipped || open.some((suite) => suite.skipped) });
}

export function describe(...given: readonly unknown[]): void {
  const { title, skipped, body } = read(given);
  open.push({ title, skipped });
  if (typeof body === 'function') body();
  open.pop();
}

const skip = { skip: true };
test.skip = (...given: readonly unknown[]): void => test(skip, ...given);
test.todo = test.skip;
test.only = test;
describe.skip = (...given: readonly unknown[]): void => describe(skip, ...given);
describe.todo = describe.skip;
describe.only = describe;

export const it = test;
export const suite = describe;

const nothing = (): void => undefined;

export { nothing as after, nothing as afterEach, nothing as before, nothing as beforeEach };
