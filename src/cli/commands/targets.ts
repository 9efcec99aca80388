import type { Command } from 'commander';
import type { Output } from '../../api/contract.ts';
import { counted, dateAndTime, table } from '../../words/format.ts';
import { type Choose, newCommand } from '../command.ts';

export function addTargets(program: Command, choose: Choose): void {
  newCommand(
    program,
    'targets <project> <environment>',
    'Shows the targets that a plan would be made of now: where each is, its zone and its members. An inventory is read anew, and what has changed in it is told.',
  ).action((project: string, environment: string) => {
    choose(async (cli) => {
      const client = await cli.client();
      const found = await client.targets({ project, environment });
      cli.answer(found, () => targetLines(found));
      return 0;
    });
  });
}

type Found = Output<'targets'>;

const HEAD = ['name', 'address', 'zone', 'port', 'members'] as const;

export function targetLines({ origin, targets, changed }: Found): readonly string[] {
  const from = origin ?? 'the configuration';
  return [
    ...table(HEAD, targets.map(rowOf)),
    '',
    `${counted(targets.length, 'target')} from ${from}`,
    ...(changed ? [`Since ${dateAndTime(changed.since)}: ${changed.what}.`] : []),
  ];
}

function rowOf({ name, address, sshPort, zone, port, members }: Found['targets'][number]): readonly string[] {
  return [
    name,
    sshPort === null ? address : `${address} (ssh ${sshPort})`,
    zone,
    port === null ? '–' : String(port),
    members.length === 0 ? '–' : members.map(({ pool, member }) => `${pool}/${member}`).join(' '),
  ];
}
