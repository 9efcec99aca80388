import type { Command } from 'commander';
import { BECAUSE, type Choose, DETACH, deploymentNamed, newCommand } from '../command.ts';
import { goOn, unexplained, versionOf } from '../start.ts';

type Options = { readonly reason?: string; readonly detach?: boolean };

export function addRetry(program: Command, choose: Choose): void {
  newCommand(
    program,
    'retry <deployment> <target>',
    'Works on a failed target again from its first step, and follows the deployment.',
  )
    .option(...BECAUSE)
    .option(...DETACH)
    .action((id: string, target: string, options: Options) => {
      choose(async (cli) => {
        const client = await cli.client();
        const given = {
          deployment: deploymentNamed(id),
          target,
          reason: options.reason ?? unexplained('retried'),
        };
        const after = await versionOf(client, given.deployment);
        const { deployment } = await client.retryTarget(given);
        return goOn(cli, client, { deployment, detach: options.detach ?? false, from: 'now', after });
      });
    });
}

export function addSkip(program: Command, choose: Choose): void {
  newCommand(
    program,
    'skip <deployment> <target>',
    'Leaves a target out. If it was taken out of service, it stays out until `edge return`.',
  )
    .option(...BECAUSE)
    .action((id: string, target: string, options: Options) => {
      choose(async (cli) => {
        const client = await cli.client();
        const given = {
          deployment: deploymentNamed(id),
          target,
          reason: options.reason ?? unexplained('skipped'),
        };
        const { deployment } = await client.skipTarget(given);
        cli.answer({ deployment, target }, () => [`${deployment} leaves ${target} out.`]);
        return 0;
      });
    });
}

export function addReturn(program: Command, choose: Choose): void {
  newCommand(
    program,
    'return <project> <environment> [targets...]',
    'Restarts parked targets and returns them to service as they were found: these, or all.',
  )
    .option(...BECAUSE)
    .option(...DETACH)
    .action((project: string, environment: string, targets: string[], options: Options) => {
      choose(async (cli) => {
        const client = await cli.client();
        const these = targets.length > 0 ? { targets } : {};
        const reason = options.reason ?? unexplained('returned');
        const { deployment } = await client.returnParked({ project, environment, ...these, reason });
        return goOn(cli, client, { deployment, detach: options.detach ?? false, from: 'start' });
      });
    });
}
