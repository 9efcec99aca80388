import type { Command } from 'commander';
import type { Output } from '../../api/contract.ts';
import { counted, table } from '../../words/format.ts';
import { type Choose, collect, newCommand } from '../command.ts';
import { readConfiguration } from '../configuration-files.ts';

type Options = { readonly file: readonly string[]; readonly dryRun?: boolean };

export function addApply(program: Command, choose: Choose): void {
  newCommand(
    program,
    'apply',
    'Hands in projects, environments, strategies, scripts and releases as YAML: all of it, or nothing. What the files do not name stays.',
  )
    .requiredOption(
      '-f, --file <path>',
      'a file, or a folder with YAML files; may be given several times',
      collect,
    )
    .option('--dry-run', 'only say what would change')
    .action(({ file, dryRun = false }: Options) => {
      choose(async (cli) => {
        const files = await readConfiguration(cli.environment.folder, file);
        const client = await cli.client();
        const applied = await client.applyConfiguration({ files, dryRun });
        cli.answer(applied, () => appliedLines(applied.documents, dryRun));
        return 0;
      });
    });
}

type Documents = Output<'applyConfiguration'>['documents'];

export function appliedLines(documents: Documents, dryRun: boolean): readonly string[] {
  const changed = documents.filter(({ change }) => change !== 'unchanged').length;
  const rows = documents.map(({ kind, key, change }) => [change, kind, key]);
  const sum = `${counted(changed, 'document')} ${dryRun ? 'would change' : 'changed'}, ${documents.length - changed} as before`;
  return [...table(['change', 'kind', 'name'], rows), '', sum];
}
