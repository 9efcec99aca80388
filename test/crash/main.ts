// `npm run crash -- [suite] [--json] …`: kills things for real and counts the promises that were broken.
import { crashDeployments } from './deployments.ts';
import { crashDetached } from './detached.ts';
import { crashExclusivity } from './exclusivity.ts';

const suites: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  deployments: crashDeployments,
  detached: crashDetached,
  exclusivity: crashExclusivity,
};

const given = process.argv.slice(2);
const [name = 'deployments', ...args] = given[0]?.startsWith('-') ? ['deployments', ...given] : given;
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (suite) process.exitCode = await suite(args);
else {
  console.error(`usage: npm run crash -- [${Object.keys(suites).join('|')}] [--json]`);
  process.exitCode = 2;
}
