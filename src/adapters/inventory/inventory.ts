import { EdgeError } from '../../domain/errors.ts';
import type { TextSource } from '../../domain/inventory.ts';
import { hashOf } from '../../lib/hash.ts';
import { Semaphore } from '../../lib/semaphore.ts';
import { SharedReads } from '../../lib/shared-reads.ts';
import type { Inventory, InventoryText } from '../../ports/inventory.ts';
import { type CommandParts, readFromCommand } from './command.ts';
import { readFromFile } from './file.ts';
import { type HttpParts, readFromHttp } from './http.ts';

/** So many sources are read at once: each may take its whole limit of memory. */
const AT_ONCE = 4;

export type InventoryParts = CommandParts & HttpParts;

/** Files, commands and addresses, as they are reached from this machine. Who asks for the same at once shares a read. */
export function createInventory(parts: InventoryParts): Inventory & { close(): Promise<void> } {
  const reads = new SharedReads<InventoryText>();
  const places = new Semaphore(AT_ONCE);
  const closing = new AbortController();
  const hanging = new Set<string>();
  const begin = async (source: TextSource): Promise<InventoryText> => {
    const leave = await places.acquire(closing.signal);
    try {
      return await readFrom(source, { ...parts, hanging }, closing.signal);
    } finally {
      leave();
    }
  };
  return {
    read: async (source, signal) => reads.readAnew(hashOf(source), () => begin(source), signal),
    close: async () =>
      closing.abort(
        new EdgeError('inventory_unreachable', 'The server stops, and reads no inventory any more'),
      ),
  };
}

type Parts = InventoryParts & { readonly hanging: Set<string> };

function readFrom(source: TextSource, parts: Parts, signal: AbortSignal): Promise<InventoryText> {
  switch (source.from) {
    case 'file':
      return readFromFile(source, parts.hanging, signal);
    case 'command':
      return readFromCommand(source, parts, signal);
    case 'http':
      return readFromHttp(source, parts, signal);
    default:
      return source satisfies never;
  }
}
