import { type Command, Option } from 'commander';
import { BECAUSE, type Choose, DETACH, deploymentNamed, newCommand, only } from '../command.ts';
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
    'Leaves a target out, once its step has ended if it is being worked on. If it was taken out of service, it stays out until `edge return`.',
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

type Resolving = { readonly as: 'succeeded' | 'failed'; readonly step?: string; readonly ended?: boolean };

export function addResolve(program: Command, choose: Choose): void {
  newCommand(
    program,
    'resolve <deployment> <target>',
    'Sets by hand how the step ended at which a target failed or is unknown. `succeeded`: the target goes on with the next step.',
  )
    .addOption(
      new Option('--as <result>', 'how the step ended')
        .choices(['succeeded', 'failed'])
        .makeOptionMandatory(),
    )
    .requiredOption('-r, --reason <text>', 'why you know; kept in the record')
    .option('--step <step>', 'the step that you mean; refused if the target ended at another')
    .option('--ended', 'you have seen that nothing of the step runs any more')
    .option(...DETACH)
    .action((id: string, target: string, options: Options & Resolving) => {
      choose(async (cli) => {
        const client = await cli.client();
        const { as, reason = '', ended = false } = options;
        const given = {
          deployment: deploymentNamed(id),
          target,
          as,
          reason,
          ended,
          ...only(options, 'step'),
        };
        const after = await versionOf(client, given.deployment);
        const { deployment } = await client.resolveTarget(given);
        const detach = options.detach ?? as === 'failed';
        return goOn(cli, client, { deployment, detach, from: 'now', after });
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
