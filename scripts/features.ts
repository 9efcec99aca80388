// Prints every promise and the end-to-end tests that show it; fails if one has none.
// `npm run features`, or `npm run features -- --json`.
import { styleText } from 'node:util';
import { PROMISES } from '../test/promises.ts';
import { features, type Shown } from './features/shown.ts';
import { projectRoot } from './project.ts';

const found = await features(projectRoot, PROMISES);
const lacking = found.promises.filter(({ missing }) => missing.length > 0);

if (process.argv.includes('--json')) console.log(JSON.stringify(found));
else {
  for (const [area, promises] of Map.groupBy(found.promises, (promise) => promise.area)) {
    console.log(paint('bold', area));
    for (const promise of promises) print(promise);
    console.log('');
  }
  for (const stray of found.strays) console.log(`${paint('red', 'FAIL')}  ${stray}`);
  console.log(`${found.promises.length} promises, ${lacking.length} without their tests`);
}
process.exitCode = lacking.length + found.strays.length > 0 ? 1 : 0;

function print({ words, tests, missing }: Shown): void {
  console.log(`${missing.length === 0 ? paint('green', 'ok  ') : paint('red', 'FAIL')}  ${words}`);
  for (const { file, title } of tests) console.log(`        ${file}: ${paint('dim', title)}`);
  if (missing.length > 0) console.log(`        ${missing.join(', ')}`);
}

/** Colours only on a terminal, and never with NO_COLOR. */
function paint(format: 'bold' | 'red' | 'green' | 'dim', text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
