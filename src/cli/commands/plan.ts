import { type Command, Option } from 'commander';
import type { Input } from '../../api/contract.ts';
import { VERBS } from '../../domain/plan.ts';
import { type Choose, names, newCommand, only } from '../command.ts';
import { planLines } from '../plan-lines.ts';

type Options = Omit<Input<'plan'>, 'project' | 'environment' | 'version'>;

export function addPlan(program: Command, choose: Choose): void {
  newCommand(
    program,
    'plan <project> <environment> [version]',
    'Shows what a deployment would do now, in order: targets, commands, waits, capacity before and after each batch. Touches nothing. The version is the release to deploy, or to roll back to.',
  )
    .addOption(new Option('--verb <verb>', 'what to plan').choices(VERBS).default('deploy'))
    .option('--hard', 'without drain, health check and balancer')
    .option('--force', 'also targets that are on the release already')
    .option('--targets <names>', 'only these, with commas between', names)
    .action((project: string, environment: string, version: string | undefined, options: Options) => {
      const what = version === undefined ? {} : { version };
      const request = { ...what, ...only(options, 'verb', 'hard', 'force', 'targets') };
      choose(async (cli) => {
        const client = await cli.client();
        const plan = await client.plan({ project, environment, ...request });
        cli.answer(plan, () => planLines(plan));
        cli.note('Nothing was touched. `edge deploy`, `restart` and `rollback` plan anew and do it.');
        return 0;
      });
    });
}
