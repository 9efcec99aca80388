import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EdgeError } from '../domain/errors.ts';
import { fileFault } from '../lib/file-fault.ts';

/** The text of a file that a person has named, from the folder where the command was given. Throws `config_unreadable`. */
export function readText(folder: string, file: string): Promise<string> {
  return readFile(resolve(folder, file), 'utf8').catch((cause: unknown) => {
    const message = `${file} cannot be read: ${fileFault(cause)}`;
    throw new EdgeError('config_unreadable', message, { where: { file }, cause });
  });
}
