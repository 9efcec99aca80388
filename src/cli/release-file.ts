import { resolve } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import type { Input } from '../api/contract.ts';
import { EdgeError } from '../domain/errors.ts';
import { readText } from './read-file.ts';

export type ReleaseInput = Input<'createRelease'>;
/** Sends a file of this machine to the server, and gives its digest. */
export type SendFile = (path: string) => Promise<string>;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The release of a YAML file. Its artifacts with `upload: true` and a `path` are files of this machine: each is sent, and named by its
 * digest from then on. Throws `config_unreadable`, `config_syntax`; what else is wrong the server says.
 */
export async function releaseIn(folder: string, file: string, send: SendFile): Promise<ReleaseInput> {
  const document = parsed(file, await readText(folder, file));
  const sent: unknown[] = [];
  const listed = Array.isArray(document.artifacts) ? document.artifacts : [];
  for (const artifact of listed) sent.push(await uploaded(folder, artifact, send));
  const release: Fields = listed.length > 0 ? { ...document, artifacts: sent } : document;
  // The server says what of it is no release.
  return release as ReleaseInput;
}

async function uploaded(folder: string, artifact: unknown, send: SendFile): Promise<unknown> {
  if (typeof artifact !== 'object' || artifact === null) return artifact;
  const { path, ...fields } = artifact as Fields;
  if (fields.upload !== true || typeof path !== 'string') return artifact;
  const sha256 = await send(resolve(folder, path));
  if (fields.sha256 === undefined || fields.sha256 === sha256) return { ...fields, sha256 };
  throw new EdgeError('artifact_mismatch', `The file ${path} does not have the digest that was given`);
}

function parsed(file: string, text: string): Fields {
  const document = parseDocument(text, { version: '1.2', schema: 'core', merge: false, stringKeys: true });
  const [error] = document.errors;
  if (error) {
    const line = error.linePos?.[0].line;
    const where = { file, ...(line !== undefined && { line }) };
    throw new EdgeError('config_syntax', error.message.split('\n')[0] ?? error.message, { where });
  }
  if (isMap(document.contents)) return document.toJS({ maxAliasCount: 100 });
  throw new EdgeError('config_syntax', `${file} is not one YAML document of a release`, { where: { file } });
}
