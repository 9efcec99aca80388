import { type Command, InvalidArgumentError } from 'commander';
import type { Input } from '../../api/contract.ts';
import { EdgeError } from '../../domain/errors.ts';
import { shellQuoteAll } from '../../lib/shell-quote.ts';
import { counted } from '../../words/format.ts';
import { answerLines, sumOfAnswers } from '../answer-lines.ts';
import { asksPeople, saysYes } from '../ask.ts';
import { BECAUSE, type Choose, collect, names, newCommand, only, wholeNumber } from '../command.ts';
import type { Cli } from '../context.ts';
import { INTERRUPTED } from '../interrupts.ts';
import { unexplained } from '../start.ts';
import { untilTold } from '../until-told.ts';

type Sizes = NonNullable<Input<'exec'>['batches']>;
type Options = {
  readonly targets?: readonly string[];
  readonly zone?: readonly string[];
  readonly limit?: number;
  readonly batches?: Sizes;
  readonly parallel?: number;
  readonly maxFailures?: number;
  readonly timeout?: number;
  readonly in?: string;
  readonly as?: string;
  readonly shell?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
};

export function addExec(program: Command, choose: Choose): void {
  const description =
    'Runs a command on targets, and shows equal answers together. It takes no lock, and nothing out of service. Ctrl-C ends the commands; a second one leaves at once. Ends with 0 if it ended with 0 everywhere.';
  newCommand(program, 'exec <project> <environment> <command...>', description)
    .usage('[options] <project> <environment> -- <command> [arguments]')
    .option('--targets <names>', 'only these, with commas between', names)
    .option('--zone <name>', 'only targets of this zone; may be given several times', collect)
    .option('--limit <count>', 'at most so many of them, the first', wholeNumber)
    .option('--batches <sizes>', 'one after the other: a size such as 5 or 20%, or a list that grows', sizes)
    .option('--parallel <count>', 'on so many at once; 50 if not given', wholeNumber)
    .option('--max-failures <count>', 'so many failures pause it before more targets begin', wholeNumber)
    .option('--timeout <seconds>', 'how long it may take on a target; 60 if not given', wholeNumber)
    .option('--in <folder>', 'folder on the hosts; else the home folder')
    .option('--as <user>', 'run it as this user, through sudo')
    .option('--shell', 'have `sh -c` read the command, as one text')
    .option(...BECAUSE)
    .option('-y, --yes', 'start without asking; nothing is asked without a terminal')
    .action((project: string, environment: string, command: readonly string[], options: Options) => {
      choose((cli) => exec(cli, requestOf({ project, environment }, command, options), options));
    });
}

function sizes(text: string): Sizes {
  const all = names(text).map((size) => (/^\d+$/.test(size) ? Number(size) : size));
  if (!all.every((size) => typeof size === 'number' || /^\d{1,3}%$/.test(size)))
    throw new InvalidArgumentError('Give sizes such as 5 or 20%.');
  const [size] = all;
  return all.length === 1 && size !== undefined ? size : all;
}

type Place = { readonly project: string; readonly environment: string };

function requestOf(place: Place, command: readonly string[], options: Options): Input<'exec'> {
  const argv = options.shell ? ['sh', '-c', command.join(' ')] : [...command];
  return {
    ...place,
    ...{ argv, reason: options.reason ?? unexplained('run') },
    ...only(options, 'targets', 'limit', 'batches', 'parallel', 'maxFailures'),
    ...(options.zone && { zones: options.zone }),
    ...(options.timeout !== undefined && { timeoutMs: options.timeout * 1_000 }),
    ...(options.in !== undefined && { cwd: options.in }),
    ...(options.as !== undefined && { sudoUser: options.as }),
  };
}

async function exec(cli: Cli, request: Input<'exec'>, options: Options): Promise<number> {
  const client = await cli.client();
  const asks = asksPeople(cli) && !options.yes;
  const planned = asks ? await client.exec({ ...request, dryRun: true }) : null;
  if (planned && !(await agreed(cli, request, planned.targets))) return INTERRUPTED;
  const { deployment, targets } = await client.exec({
    ...request,
    ...(planned && { planHash: planned.planHash }),
  });
  if (deployment === null) throw new EdgeError('internal', 'it was only asked about');
  cli.note(`${deployment} runs it on ${counted(targets.length, 'target')}.`);
  const shown = await untilTold(cli, client, {
    ...{ deployment, total: targets.length, ending: 'Ending the commands on the hosts' },
    ask: async (input, signal) => {
      const { deployment: row, answers } = await client.answers(input, { signal });
      return { row, told: answers };
    },
  });
  if (shown === null) {
    cli.note(`Left ${deployment}; look again with \`edge watch ${deployment}\`.`);
    return INTERRUPTED;
  }
  const { row, told: answers } = shown;
  cli.answer({ deployment: row, answers }, () => answerLines(answers));
  cli.note(`${deployment}: ${sumOfAnswers(answers)}`);
  if (row.status === 'paused') {
    cli.note(`It is paused: ${row.reason}`);
    cli.note(`Go on with \`edge resume ${deployment}\`, or end it with \`edge abort ${deployment}\`.`);
  }
  return row.status === 'succeeded' ? 0 : 1;
}

async function agreed(
  cli: Cli,
  { argv, ...request }: Input<'exec'>,
  targets: readonly string[],
): Promise<boolean> {
  const who = request.sudoUser === undefined ? '' : ` as ${request.sudoUser}`;
  cli.say(`${shellQuoteAll(argv)}${who}`);
  const where = `${counted(targets.length, 'target')} of ${request.project} in ${request.environment}`;
  const yes = await saysYes(cli, `Run this on ${where}?`);
  if (!yes) cli.note('Nothing was started.');
  return yes;
}
