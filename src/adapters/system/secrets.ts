import { readFile } from 'node:fs/promises';
import { EdgeError } from '../../domain/errors.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { fileFault } from '../../lib/file-fault.ts';
import type { Secrets } from '../../ports/secrets.ts';

/**
 * Secrets of the machine that the worker runs on: environment variables, handed in as a record, and files. One line break
 * at the end of a file is not part of the secret. Read anew each time, so that a rotated secret is found.
 */
export function systemSecrets(environment: Readonly<Record<string, string | undefined>>): Secrets {
  return {
    async resolve(reference) {
      const value = reference.source === 'env' ? environment[reference.name] : await fileText(reference);
      if (value === undefined || value === '') {
        throw new EdgeError('secret_unavailable', `The ${placeOf(reference)} is not set or empty`);
      }
      return value;
    },
  };
}

async function fileText(reference: SecretRef): Promise<string> {
  try {
    return (await readFile(reference.name, 'utf8')).replace(/\r?\n$/, '');
  } catch (thrown) {
    throw unreadable(reference, thrown);
  }
}

function unreadable(reference: SecretRef, cause: unknown): EdgeError {
  const why = fileFault(cause);
  return new EdgeError('secret_unavailable', `The ${placeOf(reference)} cannot be read: ${why}`, { cause });
}

const placeOf = ({ source, name }: SecretRef): string =>
  source === 'env' ? `environment variable ${name}` : `file ${name}`;
