import { constants } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { EdgeError } from '../../domain/errors.ts';
import { fileFault } from '../../lib/file-fault.ts';
import { type Choose, newCommand } from '../command.ts';
import { SAMPLE_FILES } from '../sample-configuration.ts';

export function addInit(program: Command, choose: Choose): void {
  newCommand(
    program,
    'init [folder]',
    'Writes a sample configuration with comments into a folder, to be changed and handed in with `edge apply -f`. Never overwrites a file.',
  ).action((folder: string | undefined) => {
    choose(async (cli) => {
      const shown = folder ?? 'edge';
      const whole = resolve(cli.environment.folder, shown);
      const files = Object.keys(SAMPLE_FILES).map((name) => join(shown, name));
      await refuseExisting(cli.environment.folder, files);
      await write(whole, shown);
      cli.answer({ files }, () => [...files, '', `Change them, then run \`edge apply -f ${shown}\`.`]);
      return 0;
    });
  });
}

async function refuseExisting(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    const exists = await access(resolve(folder, file), constants.F_OK).then(
      () => true,
      () => false,
    );
    if (exists)
      throw new EdgeError('usage_invalid', `${file} exists already; nothing was written`, {
        where: { file },
        hint: 'Name another folder: `edge init <folder>`.',
      });
  }
}

async function write(folder: string, shown: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(SAMPLE_FILES))
      await writeFile(join(folder, name), text, { flag: 'wx' });
  } catch (cause) {
    throw unwritable(shown, cause);
  }
}

function unwritable(folder: string, cause: unknown): EdgeError {
  const why = fileFault(cause);
  const hint = 'Check the path and its permissions, or name another folder.';
  return new EdgeError('usage_invalid', `${folder} cannot be written: ${why}`, { hint, cause });
}
