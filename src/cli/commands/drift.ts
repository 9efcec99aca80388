import type { Command } from 'commander';
import type { EdgeClient } from '../../api/client.ts';
import type { DeploymentRow, Finding } from '../../api/contract.ts';
import { foldedNames } from '../../lib/folded-names.ts';
import { counted, dateAndTime } from '../../words/format.ts';
import { BECAUSE, type Choose, collect, names, newCommand, only, wholeNumber } from '../command.ts';
import type { Cli } from '../context.ts';
import { exitOf, findingLines, sumOfFindings } from '../finding-lines.ts';
import { INTERRUPTED } from '../interrupts.ts';
import { unexplained } from '../start.ts';
import { untilTold } from '../until-told.ts';
import { line } from '../view/line.ts';

type Place = { readonly project: string; readonly environment: string };
type Options = {
  readonly targets?: readonly string[];
  readonly zone?: readonly string[];
  readonly parallel?: number;
  readonly added?: boolean;
  readonly last?: boolean;
  readonly reason?: string;
};

export function addDrift(program: Command, choose: Choose): void {
  const description =
    'Compares what is on the targets with what Edge put there, and shows equal findings together. It changes nothing and takes no lock. Ends with 0 if there is no drift, with 1 if there is some, and with 7 if none was seen, but something could not be looked at or is being deployed.';
  newCommand(program, 'drift <project> <environment>', description)
    .option('--targets <names>', 'only these, with commas between', names)
    .option('--zone <name>', 'only targets of this zone; may be given several times', collect)
    .option('--parallel <count>', 'look at so many at once; 50 if not given', wholeNumber)
    .option('--added', 'files that nobody put there are drift too, and told by name')
    .option('--last', 'show what the last look at all targets has found, and do not look again')
    .option(...BECAUSE)
    .action((project: string, environment: string, options: Options) => {
      const place = { project, environment };
      choose((cli) => (options.last ? lastLook(cli, place, options) : lookNow(cli, place, options)));
    });
}

async function lastLook(cli: Cli, place: Place, { added = false }: Options): Promise<number> {
  const client = await cli.client();
  const { deployment, findings, notAsked, leftOut } = await client.lastFindings({ ...place, added });
  if (deployment !== null) {
    noteLeftOut(cli, leftOut);
    const status = tell(cli, deployment, findings);
    if (notAsked.length === 0) return status;
    const names = foldedNames(notAsked).join(', ');
    cli.note(`Nobody has looked at all targets lately; this was not asked to look at ${names}.`);
    return status === 0 ? 7 : status;
  }
  cli.answer({ deployment, findings }, () => ['Nobody has looked yet.']);
  return 7;
}

async function lookNow(cli: Cli, place: Place, options: Options): Promise<number> {
  const client = await cli.client();
  const { deployment, targets, leftOut } = await client.drift({
    ...place,
    ...only(options, 'targets', 'parallel'),
    ...(options.zone && { zones: options.zone }),
    reason: options.reason ?? unexplained('looked'),
  });
  cli.note(`${deployment} looks at ${counted(targets.length, 'target')}.`);
  noteLeftOut(cli, leftOut);
  const shown = await told(cli, client, { deployment, total: targets.length, added: options.added ?? false });
  if (shown !== null) return tell(cli, shown.row, shown.told);
  cli.note(
    `Left ${deployment}; see what it finds with \`edge drift ${place.project} ${place.environment} --last\`.`,
  );
  return INTERRUPTED;
}

function noteLeftOut(cli: Cli, leftOut: readonly string[]): void {
  if (leftOut.length > 0)
    cli.note(`Left out, since Edge has put nothing there that it could compare: ${leftOut.join(', ')}.`);
}

type Looking = { readonly deployment: DeploymentRow['id']; readonly total: number; readonly added: boolean };

const told = (cli: Cli, client: EdgeClient, { added, ...begun }: Looking) =>
  untilTold(cli, client, {
    ...begun,
    ending: 'Ending the look',
    ask: async (input, signal) => {
      const { deployment, findings } = await client.findings({ ...input, added }, { signal });
      return { row: deployment, told: findings };
    },
  });

function tell(cli: Cli, deployment: DeploymentRow, findings: readonly Finding[]): number {
  const when = `${deployment.id}, ${dateAndTime(deployment.createdAt)} by ${deployment.by}`;
  cli.answer({ deployment, findings }, () => [
    line(`${sumOfFindings(findings)} (${when}).`, 'strong'),
    ...findingLines(findings),
  ]);
  return exitOf(findings);
}
