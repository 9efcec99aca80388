import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { MOST_INVENTORY_BYTES, type TextFormat, type TextSource } from '../../domain/inventory.ts';
import { abortable } from '../../lib/abortable.ts';
import { fileFault } from '../../lib/file-fault.ts';
import type { InventoryText } from '../../ports/inventory.ts';
import { textOf, tooLong, unreachable } from './fault.ts';

type FileSource = Extract<TextSource, { from: 'file' }>;

/** A file on a network that hangs must not hang Edge. */
const TIMEOUT_MS = 15_000;

const FORMATS: Readonly<{ [ending: string]: TextFormat }> = {
  csv: 'csv',
  json: 'json',
  yaml: 'yaml',
  yml: 'yaml',
};

/**
 * A file of this machine. `hanging`: paths of which a read has not come back, which are not read once more meanwhile: each of
 * them occupies one of the few threads that read files.
 */
export async function readFromFile(
  source: FileSource,
  hanging: Set<string>,
  signal: AbortSignal,
): Promise<InventoryText> {
  const { path } = source;
  if (hanging.has(path)) throw unreachable(source, 'an earlier read of it has not come back');
  const late = AbortSignal.timeout(TIMEOUT_MS);
  const reading = wholeOf(source);
  const text = await abortable(reading, AbortSignal.any([signal, late])).catch((thrown: unknown) => {
    signal.throwIfAborted();
    if (!late.aborted) throw thrown;
    hanging.add(path);
    const back = () => hanging.delete(path);
    reading.then(back, back);
    throw unreachable(source, `it could not be read within ${TIMEOUT_MS / 1_000} s`);
  });
  const format = FORMATS[path.slice(path.lastIndexOf('.') + 1).toLowerCase()];
  return { text, ...(format && { format }) };
}

async function wholeOf(source: FileSource): Promise<string> {
  // A pipe that nobody writes to would wait for ever.
  const file = await open(source.path, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw unreachable(source, `it cannot be read: ${fileFault(cause)}`, { cause });
  });
  try {
    if (!(await file.stat()).isFile()) throw unreachable(source, 'it is not a file');
    const bytes = Buffer.alloc(MOST_INVENTORY_BYTES + 1);
    let size = 0;
    for (let got = 1; got > 0 && size < bytes.length; size += got)
      got = (await file.read(bytes, size, bytes.length - size)).bytesRead;
    if (size > MOST_INVENTORY_BYTES) throw tooLong(source);
    return textOf(source, bytes.subarray(0, size));
  } finally {
    await file.close();
  }
}
