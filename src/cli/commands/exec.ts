import { type Command, InvalidArgumentError } from 'commander';
import type { EdgeClient } from '../../api/client.ts';
import type { Answer, Input, Output } from '../../api/contract.ts';
import { asEdgeError, EdgeError } from '../../domain/errors.ts';
import { shellQuoteAll } from '../../lib/shell-quote.ts';
import { answerLines, sumOfAnswers } from '../answer-lines.ts';
import { asksPeople, saysYes } from '../ask.ts';
import { BECAUSE, type Choose, collect, names, newCommand, only, wholeNumber } from '../command.ts';
import type { Cli } from '../context.ts';
import { counted } from '../format.ts';
import { INTERRUPTED } from '../interrupts.ts';
import { unexplained } from '../start.ts';

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
  const shown = await untilAnswered(cli, client, { deployment, total: targets.length });
  if (shown === null) {
    cli.note(`Left ${deployment}; look again with \`edge watch ${deployment}\`.`);
    return INTERRUPTED;
  }
  const { deployment: row, answers } = shown;
  cli.answer(shown, () => answerLines(answers ?? []));
  cli.note(`${deployment}: ${sumOfAnswers(answers ?? [])}`);
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

const PROGRESS_MS = 1_000;
const WAIT_MS = 20_000;
/** So often in a row a server that does not answer is asked again, with a pause before each. */
const TRIES = 60;
const PAUSE_MS = 2_000;

type Started = { readonly deployment: NonNullable<Output<'exec'>['deployment']>; readonly total: number };
type Answered = Output<'answers'> & { readonly answers: readonly Answer[] | null };

/** `null`: the person has left. The first Ctrl-C aborts it. */
async function untilAnswered(
  cli: Cli,
  client: EdgeClient,
  { deployment, total }: Started,
): Promise<Answered | null> {
  const leaving = new AbortController();
  let pressed = 0;
  const stopListening = cli.interrupts.listen(() => {
    pressed += 1;
    if (pressed > 1) leaving.abort();
    else void abort(cli, client, deployment);
  });
  const shows = cli.environment.terminal.redraws && !cli.json;
  const { signal } = leaving;
  try {
    for (let failures = 0; ; ) {
      const input = { deployment, waitMs: shows ? PROGRESS_MS : WAIT_MS };
      const answered = await client.answers(input, { signal }).catch((thrown: unknown) => {
        if (signal.aborted) return null;
        failures += 1;
        if (asEdgeError(thrown).code !== 'server_unreachable' || failures > TRIES) throw thrown;
        return 'again';
      });
      if (answered === 'again') await cli.environment.sleep(PAUSE_MS, signal);
      else if (answered === null || answered.answers !== null) return answered;
      else {
        failures = 0;
        const { succeeded, failed } = answered.deployment.counts;
        if (shows) cli.environment.stderr.write(`\r${succeeded + failed} of ${total} have answered`);
      }
    }
  } finally {
    if (shows) cli.environment.stderr.write('\r\u001B[K');
    stopListening();
  }
}

async function abort(cli: Cli, client: EdgeClient, deployment: Started['deployment']): Promise<void> {
  cli.note('Ending the commands on the hosts; press Ctrl-C again to leave at once.');
  try {
    await client.abort({ deployment, reason: unexplained('aborted') });
  } catch (thrown) {
    cli.note(`Not ended: ${asEdgeError(thrown).message}. Try \`edge abort ${deployment}\`.`);
  }
}
