import type { Command } from 'commander';
import { type Choose, deploymentNamed, newCommand } from '../command.ts';
import { conclude } from '../conclude.ts';

export function addWatch(program: Command, choose: Choose): void {
  newCommand(
    program,
    'watch <deployment>',
    'Follows a deployment to its end; with --json, one item of the stream on each line. Ctrl-C only stops looking, unless this command is the server: then it pauses the deployment. Ends with 0 if it succeeded, 1 if it failed or was aborted.',
  ).action((id: string) => {
    choose(async (cli) => {
      const client = await cli.client();
      const { embedded } = await cli.access();
      const onInterrupt = embedded ? 'pause' : 'leave';
      return conclude(cli, client, {
        deployment: deploymentNamed(id),
        onInterrupt,
        from: 'start',
        json: 'stream',
      });
    });
  });
}
