import type { Command } from 'commander';
import type { HostKeyRow, Input } from '../../api/contract.ts';
import { CATALOGUE } from '../../domain/errors.ts';
import { counted } from '../../words/format.ts';
import { asksPeople, saysYes } from '../ask.ts';
import { type Choose, newCommand } from '../command.ts';
import type { Cli } from '../context.ts';
import { hostKeyLines, howToCompare } from '../host-key-lines.ts';

type Options = { readonly target?: readonly string[]; readonly yes?: boolean; readonly replace?: boolean };
type Place = { readonly project: string; readonly environment: string };
type Key = Input<'trustHostKeys'>['keys'][number];

export function addTrust(program: Command, choose: Choose): void {
  newCommand(
    program,
    'trust <project> <environment>',
    'Shows the SSH host keys of targets and jump hosts, and records those that you say yes to. A key that the configuration names is only looked at. Ends with 0 if all keys are known then, else with the exit status of the first problem.',
  )
    .option('--target <names...>', 'only these targets')
    .option('--replace', 'also in place of another key that was recorded')
    .option('-y, --yes', 'record without asking; without a terminal nothing is recorded otherwise')
    .action((project: string, environment: string, options: Options) => {
      choose((cli) => trust(cli, { project, environment }, options));
    });
}

/** What is behind a jump host can be looked at once its key is known. */
const MOST_LOOKS = 10;

async function trust(cli: Cli, place: Place, options: Options): Promise<number> {
  const client = await cli.client();
  const { target: targets, replace = false } = options;
  const recorded: Key[] = [];
  for (let looks = 1; ; looks += 1) {
    const { hosts } = await client.showHostKeys({ ...place, ...(targets && { targets }) });
    show(cli, hosts, looks);
    const rows = hosts.filter((row) => mayBeRecorded(row, replace));
    const keys = rows.flatMap(keyOf);
    if (keys.length === 0 || !(await agreed(cli, keys, options))) return conclude(cli, hosts, recorded);
    recorded.push(...(await client.trustHostKeys({ ...place, keys })).recorded);
    if (!rows.some(({ jump }) => jump) || looks === MOST_LOOKS) return conclude(cli, hosts, recorded);
  }
}

function show(cli: Cli, hosts: readonly HostKeyRow[], looks: number): void {
  if (cli.json) return;
  if (looks > 1) cli.say('');
  for (const line of hostKeyLines(hosts)) cli.say(line);
}

/** Only what nobody but a record knows; a key of the configuration is changed there. */
const mayBeRecorded = ({ verdict, by }: HostKeyRow, replace: boolean): boolean =>
  (verdict === 'new' && by === null) || (verdict === 'changed' && by === 'record' && replace);

/** What was shown, and nothing else, goes back to the server. */
function keyOf({ address, port, shown, recorded }: HostKeyRow): readonly Key[] {
  if (shown === null || port === null) return [];
  return [{ address, port, ...shown, ...(recorded && { replaces: recorded.fingerprint }) }];
}

async function agreed(cli: Cli, keys: readonly Key[], { yes }: Options): Promise<boolean> {
  if (yes) return true;
  if (!asksPeople(cli)) {
    cli.note('Nothing was recorded: compare the keys, then say --yes.');
    return false;
  }
  for (const line of howToCompare(keys)) cli.say(line);
  const replaced = keys.filter(({ replaces }) => replaces !== undefined).length;
  const place = replaced > 0 ? `, ${replaced} of them in place of another` : '';
  const isYes = await saysYes(cli, `Record ${counted(keys.length, 'key')}${place}?`);
  if (!isYes) cli.note('Nothing was recorded.');
  return isYes;
}

function conclude(cli: Cli, hosts: readonly HostKeyRow[], recorded: readonly Key[]): number {
  if (cli.json) cli.jsonLine({ hosts, recorded });
  else if (recorded.length > 0) cli.say(`Recorded ${counted(recorded.length, 'key')}.`);
  const known = new Set(recorded.map(({ address, port }) => `${address}:${port}`));
  const left = hosts.find(({ problem, address, port }) => problem && !known.has(`${address}:${port}`));
  return left?.problem ? CATALOGUE[left.problem.code].exit : 0;
}
