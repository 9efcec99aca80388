import { EdgeError } from '../../domain/errors.ts';
import { MOST_INVENTORY_BYTES, originOf, type TextSource } from '../../domain/inventory.ts';

const MIB = 1_048_576;

/** Nobody knows what it would have said. */
export function unreachable(
  source: TextSource,
  why: string,
  more: { readonly hint?: string; readonly cause?: unknown } = {},
): EdgeError {
  return new EdgeError('inventory_unreachable', `${originOf(source)}: ${why}`, more);
}

export function tooLong(source: TextSource): EdgeError {
  const most = MOST_INVENTORY_BYTES / MIB;
  return new EdgeError('inventory_invalid', `${originOf(source)}: it gives more than ${most} MiB`);
}

/** Throws `inventory_invalid` for what is no text in UTF-8. */
export function textOf(source: TextSource, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new EdgeError('inventory_invalid', `${originOf(source)}: it is not a text in UTF-8`, { cause });
  }
}
