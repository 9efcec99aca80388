import type { Command } from 'commander';
import type { EdgeClient } from '../../api/client.ts';
import type { Input } from '../../api/contract.ts';
import { OutputLines, type OutputRow } from '../../words/output-lines.ts';
import type { OutputLine } from '../../words/watched.ts';
import { type Choose, deploymentNamed, newCommand, only } from '../command.ts';
import type { Cli } from '../context.ts';
import { span } from '../view/line.ts';

type Options = { readonly target?: string; readonly follow?: boolean; readonly plain?: boolean };

export function addLogs(program: Command, choose: Choose): void {
  newCommand(
    program,
    'logs <deployment>',
    'Prints what the commands on the targets wrote; with --json, one piece on each line.',
  )
    .option('-t, --target <name>', 'of this target only')
    .option('-f, --follow', 'go on until the deployment has ended')
    .option('--plain', 'without the names of target and step before each line')
    .action((id: string, options: Options) => {
      const wanted = { deployment: deploymentNamed(id), ...only(options, 'target') };
      choose(async (cli) => {
        const client = await cli.client();
        const rows = options.follow ? client.followLogs(wanted) : allRows(client, wanted);
        await print(cli, rows, options.plain);
        return 0;
      });
    });
}

const ROWS_AT_ONCE = 1_000;

async function* allRows(client: EdgeClient, wanted: Input<'logs'>): AsyncGenerator<OutputRow> {
  let after = 0;
  while (true) {
    const { rows } = await client.logs({ ...wanted, after, limit: ROWS_AT_ONCE });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < ROWS_AT_ONCE) return;
    after = last.id;
  }
}

async function print(cli: Cli, rows: AsyncIterable<OutputRow>, isPlain = false): Promise<void> {
  const lines = new OutputLines();
  const say = ({ target, step, text }: OutputLine) =>
    cli.say([...(isPlain ? [] : [span(`${target} ${step} | `, 'dim')]), span(text)]);
  for await (const row of rows) {
    if (cli.json) cli.jsonLine(row);
    else lines.add(row).forEach(say);
  }
  lines.rest().forEach(say);
}
