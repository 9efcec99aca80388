import type { Command } from 'commander';
import type { EdgeClient } from '../../api/client.ts';
import type { DeploymentId } from '../../domain/ids.ts';
import { isAtRest, type Watched } from '../../words/watched.ts';
import { BECAUSE, type Choose, DETACH, deploymentNamed, newCommand } from '../command.ts';
import type { Cli } from '../context.ts';
import { type Followed, follow } from '../follow.ts';
import { INTERRUPTED } from '../interrupts.ts';
import { presenterOf } from '../presenters.ts';
import { goOn, pausedUntil, unexplained } from '../start.ts';

type Options = { readonly reason?: string; readonly detach?: boolean };

export function addPause(program: Command, choose: Choose): void {
  steering(
    program,
    'pause <deployment>',
    'Starts no further target, and waits until those that were started are done.',
  ).action((id: string, options: Options) => {
    choose(async (cli) => {
      const client = await cli.client();
      await client.pause({
        deployment: deploymentNamed(id),
        reason: options.reason ?? unexplained('paused'),
      });
      return settle(cli, client, { id: deploymentNamed(id), options, until: isAtRest });
    });
  });
}

export function addResume(program: Command, choose: Choose): void {
  const description = 'Goes on with a paused deployment, accepts the failures so far, and follows it.';
  steering(program, 'resume <deployment>', description).action((id: string, options: Options) => {
    choose(async (cli) => {
      const client = await cli.client();
      const given = { deployment: deploymentNamed(id), reason: options.reason ?? unexplained('resumed') };
      const resumed = await pausedUntil(client, given.deployment);
      const { deployment } = await client.resume(given);
      return goOn(cli, client, { deployment, detach: options.detach ?? false, from: 'now', resumed });
    });
  });
}

export function addAbort(program: Command, choose: Choose): void {
  const description =
    'Starts nothing new, ends running commands on the hosts, and waits until that is proven. Their targets stay out of service until `edge return`. Ends with 0 when it is aborted.';
  steering(program, 'abort <deployment>', description).action((id: string, options: Options) => {
    choose(async (cli) => {
      const client = await cli.client();
      await client.abort({
        deployment: deploymentNamed(id),
        reason: options.reason ?? unexplained('aborted'),
      });
      return settle(cli, client, { id: deploymentNamed(id), options, until: () => false });
    });
  });
}

function steering(program: Command, usage: string, description: string): Command {
  return newCommand(program, usage, description)
    .option(...BECAUSE)
    .option(...DETACH);
}

type Settling = {
  readonly id: DeploymentId;
  readonly options: Options;
  readonly until: (watched: Watched) => boolean;
};

/** Follows a deployment to the moment that was asked for, or to its end; Ctrl-C only stops looking. */
async function settle(cli: Cli, client: EdgeClient, { id, options, until }: Settling): Promise<number> {
  if (options.detach) {
    cli.answer({ deployment: id }, () => [`Asked of ${id}. Follow it with \`edge watch ${id}\`.`]);
    return 0;
  }
  const presenter = presenterOf(cli, 'answer');
  const followed = await follow(cli, client, {
    deployment: id,
    presenter,
    from: 'now',
    onInterrupt: 'leave',
    until,
  });
  if (cli.json) cli.jsonLine({ deployment: (await client.deployment({ deployment: id })).deployment });
  else cli.note(settled(followed));
  return followed.kind === 'left' ? INTERRUPTED : 0;
}

function settled({ kind, watched: { row, view } }: Followed): string {
  if (kind === 'reached') return `${row.id} is paused, and nothing of it is being worked on.`;
  return kind === 'ended'
    ? `${row.id} ended ${view.overall.status}.`
    : `${row.id} goes on to do what was asked.`;
}
