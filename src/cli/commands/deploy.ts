import type { Command } from 'commander';
import type { Input } from '../../api/contract.ts';
import { EdgeError } from '../../domain/errors.ts';
import { BECAUSE, type Choose, DETACH, deploymentNamed, names, newCommand, only } from '../command.ts';
import type { Cli } from '../context.ts';
import { goOn, type StartOptions, start, unexplained, versionOf } from '../start.ts';

type Request = Omit<Input<'plan'>, 'project' | 'environment'>;
type Options = StartOptions & Request & { readonly to?: string };

const ENDS =
  'Ctrl-C pauses it at a safe point; a second one leaves at once. Ends with 0 if it succeeded, 1 if it failed, was aborted, or, without a terminal, waits for a decision.';

export function addDeploy(program: Command, choose: Choose): void {
  const description = `Puts a release onto the targets of an environment, batch by batch, and follows it. ${ENDS}`;
  startOptions(newCommand(program, 'deploy <project> <environment> [version]', description))
    .option('--from <environment>', 'in place of a version: the release that runs there, on all targets')
    .option(
      '--force',
      'also targets that are on the release already, running and in service; what is there is put right',
    )
    .option(
      '--reload',
      'services only read their property files again, and go on all the while; refused if artifacts differ',
    )
    .action((project: string, environment: string, version: string | undefined, options: Options) => {
      if ((version === undefined) === (options.from === undefined))
        throw new EdgeError('usage_invalid', 'What to deploy is a version, or --from and an environment', {
          hint: `Write \`edge deploy ${project} ${environment} <version>\`, or --from <environment>.`,
        });
      const request = {
        project,
        environment,
        ...(version !== undefined && { version }),
        ...only(options, 'from', 'hard', 'force', 'reload', 'targets'),
      };
      choose((cli) => start(cli, { ...request, verb: 'deploy' }, options));
    });
}

export function addRestart(program: Command, choose: Choose): void {
  const description = `Restarts the targets of an environment, batch by batch, and follows it. ${ENDS}`;
  startOptions(newCommand(program, 'restart <project> <environment>', description)).action(
    (project: string, environment: string, options: Options) => {
      const request = { project, environment, ...only(options, 'hard', 'targets') };
      choose((cli) => start(cli, { ...request, verb: 'restart' }, options));
    },
  );
}

export function addRollback(program: Command, choose: Choose): void {
  const description = `Goes back: one deployment to what its targets had before, or an environment to an earlier release. ${ENDS}`;
  startOptions(newCommand(program, 'rollback <deployment-or-project> [environment]', description))
    .option('--to <version>', 'the release to go back to; else the last one that fully succeeded')
    .action((first: string, environment: string | undefined, options: Options) => {
      choose((cli) => {
        if (environment === undefined) return rollBackDeployment(cli, first, options);
        const { to, ...rest } = only(options, 'to', 'hard', 'targets');
        const request = { project: first, environment, ...rest, ...(to !== undefined && { version: to }) };
        return start(cli, { ...request, verb: 'rollback' }, options);
      });
    });
}

async function rollBackDeployment(cli: Cli, id: string, options: Options): Promise<number> {
  const client = await cli.client();
  const reason = options.reason ?? unexplained('rolled back');
  const before = await versionOf(client, deploymentNamed(id));
  const { deployment } = await client.rollback({ deployment: deploymentNamed(id), reason });
  const follows =
    deployment === id ? ({ from: 'now', after: before } as const) : ({ from: 'start' } as const);
  return goOn(cli, client, { deployment, detach: options.detach ?? false, ...follows, rollsBack: true });
}

function startOptions(command: Command): Command {
  return command
    .option('--hard', 'without drain, health check and balancer')
    .option('--targets <names>', 'only these, with commas between', names)
    .option(...BECAUSE)
    .option('-y, --yes', 'start without asking; nothing is asked without a terminal')
    .option(...DETACH)
    .option('-w, --wait', 'wait for the deployment that holds the environment');
}
