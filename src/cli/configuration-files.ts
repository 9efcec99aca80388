import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EdgeError } from '../domain/errors.ts';
import { fileFault } from '../lib/file-fault.ts';

export type ConfigurationFile = { readonly path: string; readonly text: string };

const YAML = /\.ya?ml$/;

/**
 * The files that are named, and of folders all YAML files in them and below, by name; hidden ones are left out. Paths are as
 * they were written, with what was found behind them. Throws `config_unreadable`.
 */
export async function readConfiguration(
  folder: string,
  paths: readonly string[],
): Promise<readonly ConfigurationFile[]> {
  const found = new Map<string, string>();
  for (const path of paths)
    for (const file of await filesAt(folder, path)) found.set(resolve(folder, file), file);
  if (found.size === 0) throw unreadable(paths.join(' '), 'there is no YAML file in it');
  const files: ConfigurationFile[] = [];
  for (const [whole, path] of found)
    files.push({ path, text: await readable(path, () => readFile(whole, 'utf8')) });
  return files;
}

async function filesAt(folder: string, path: string): Promise<readonly string[]> {
  const whole = resolve(folder, path);
  const isFolder = await readable(path, async () => (await stat(whole)).isDirectory());
  if (!isFolder) return [path];
  const entries = await readable(path, () => readdir(whole, { withFileTypes: true }));
  const wanted = entries
    .filter(({ name }) => !name.startsWith('.') && name !== 'node_modules')
    .filter((entry) => entry.isDirectory() || YAML.test(entry.name))
    .map(({ name }) => name)
    .sort();
  const below: string[] = [];
  for (const name of wanted) below.push(...(await filesAt(folder, join(path, name))));
  return below;
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw unreadable(path, fileFault(cause), cause);
  }
}

function unreadable(file: string, why: string, cause?: unknown): EdgeError {
  return new EdgeError('config_unreadable', `${file} cannot be read: ${why}`, { where: { file }, cause });
}
