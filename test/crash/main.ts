// `npm run crash -- <suite> [--json] …`: kills things for real and counts the promises that were broken.
import { crashDetached } from './detached.ts';

const suites: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  detached: crashDetached,
};

const [name = '', ...args] = process.argv.slice(2);
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (suite) process.exitCode = await suite(args);
else {
  console.error(`usage: npm run crash -- <${Object.keys(suites).join('|')}> [--json]`);
  process.exitCode = 2;
}
