// `npm run crash -- [suite] [--json] …`: kills things for real and counts the promises that were broken. Without the name of
// a suite: every named point (`points`), or with `--quick` some random kills (`deployments`).
import { crashDeployments } from './deployments.ts';
import { crashDetached } from './detached.ts';
import { crashExclusivity } from './exclusivity.ts';
import { crashPoints } from './points.ts';
import { crashReload } from './reload.ts';

const suites: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  deployments: crashDeployments,
  detached: crashDetached,
  exclusivity: crashExclusivity,
  points: crashPoints,
  reload: crashReload,
};

const given = process.argv.slice(2);
const isNamed = given[0] !== undefined && !given[0].startsWith('-');
const [name = '', ...args] = isNamed
  ? given
  : [given.includes('--quick') ? 'deployments' : 'points', ...given];
const suite = Object.hasOwn(suites, name) ? suites[name] : undefined;
if (suite) process.exitCode = await suite(args);
else {
  console.error(`usage: npm run crash -- [${Object.keys(suites).join('|')}] [--json]`);
  process.exitCode = 2;
}
