import { type Command, Option } from 'commander';
import type { EdgeClient } from '../../api/client.ts';
import type { Input } from '../../api/contract.ts';
import { EdgeError } from '../../domain/errors.ts';
import { VERBS } from '../../domain/plan.ts';
import { type Choose, names, newCommand, only, wholeNumber } from '../command.ts';
import type { Cli } from '../context.ts';
import { INTERRUPTED } from '../interrupts.ts';
import { planLines } from '../plan-lines.ts';
import { type Report, simulationLines } from '../simulation-lines.ts';

type Request = Input<'plan'>;
type Options = Omit<Request, 'project' | 'environment' | 'version'> & {
  readonly simulate?: number;
  readonly seed?: number;
};

export function addPlan(program: Command, choose: Choose): void {
  newCommand(
    program,
    'plan <project> <environment> [version]',
    'Shows what a deployment would do now, in order: targets, commands, waits, capacity before and after each batch. Touches nothing. The version is the release to deploy, or to roll back to. With --simulate that very plan is run so many times in a simulated world, with failures as often as the log tells of them: how often it ends how, how long it takes, and how far a bad release gets.',
  )
    .addOption(new Option('--verb <verb>', 'what to plan').choices(VERBS).default('deploy'))
    .option('--from <environment>', 'in place of a version: the release that runs there, on all targets')
    .option('--hard', 'without drain, health check and balancer')
    .option('--force', 'also targets that are on the release already; what is there is put right')
    .option('--reload', 'services only read their property files again, and go on all the while')
    .option('--targets <names>', 'only these, with commas between', names)
    .option(
      '--simulate <runs>',
      'run the plan so many times in a simulated world; nothing real is touched',
      wholeNumber,
    )
    .option('--seed <number>', 'other runs than those of seed 1; the same seed gives the same', wholeNumber)
    .action((project: string, environment: string, version: string | undefined, options: Options) => {
      const what = version === undefined ? {} : { version };
      const request = {
        project,
        environment,
        ...what,
        ...only(options, 'verb', 'from', 'hard', 'force', 'reload', 'targets'),
      };
      choose(async (cli) => {
        if (options.seed !== undefined && options.simulate === undefined)
          throw new EdgeError('usage_invalid', '--seed is of a simulation', {
            hint: 'Add --simulate <runs>.',
          });
        const client = await cli.client();
        return options.simulate === undefined
          ? show(cli, client, request)
          : simulate(cli, client, { ...request, runs: options.simulate, ...only(options, 'seed') });
      });
    });
}

async function show(cli: Cli, client: EdgeClient, request: Request): Promise<number> {
  const plan = await client.plan(request);
  cli.answer(plan, () => planLines(plan));
  cli.note('Nothing was touched. `edge deploy`, `restart` and `rollback` plan anew and do it.');
  return 0;
}

/** A fault of Edge's own: the exit status of `internal` (docs/reference/errors.md). */
const PROMISE_BROKEN = 70;

async function simulate(cli: Cli, client: EdgeClient, request: Input<'simulatePlan'>): Promise<number> {
  const stop = new AbortController();
  const stopListening = cli.interrupts.listen(() => stop.abort());
  try {
    const report = await followed(cli, client, { request, signal: stop.signal });
    cli.answer(report, () => simulationLines(report));
    cli.note('Nothing was touched.');
    return report.violations.length > 0 ? PROMISE_BROKEN : 0;
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
    cli.note('The simulation was stopped. Nothing was touched.');
    return INTERRUPTED;
  } finally {
    stopListening();
  }
}

type Asked = { readonly request: Input<'simulatePlan'>; readonly signal: AbortSignal };

/** Where people look on, they see how many runs are done. A stream that breaks off is not begun anew. */
async function followed(cli: Cli, client: EdgeClient, { request, signal }: Asked): Promise<Report> {
  const { terminal, stderr } = cli.environment;
  const shows = terminal.redraws && !cli.json;
  try {
    for await (const item of client.simulatePlan(request, { signal, giveUpAfterMs: 0 })) {
      if (item.kind === 'report') return item;
      if (shows) stderr.write(`\r${item.done} of ${item.of} runs`);
    }
  } finally {
    if (shows) stderr.write(`\r${' '.repeat(30)}\r`);
  }
  throw new EdgeError('server_unreachable', 'The server ended the simulation before its report');
}
