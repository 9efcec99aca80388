import { EdgeError } from '../../domain/errors.ts';
import { MOST_INVENTORY_BYTES, originOf } from '../../domain/inventory.ts';
import type { Inventory } from '../../ports/inventory.ts';

/** The world's side of inventories in memory, each by the words that name it (`originOf`). */
export type MemoryInventory = Inventory & {
  /** What it says from now on, or fails with; without it, nothing answers there. */
  set(origin: string, answer: string | Uint8Array | EdgeError | undefined): void;
};

/** Inventories without a file, a process or a network: for tests of the operations, and for the simulation. */
export function createMemoryInventory(): MemoryInventory {
  const answers = new Map<string, Uint8Array | EdgeError>();
  return {
    async read(source, signal) {
      signal.throwIfAborted();
      const origin = originOf(source);
      const bytes = answers.get(origin);
      if (bytes instanceof EdgeError) throw bytes;
      if (bytes === undefined) throw new EdgeError('inventory_unreachable', `${origin}: nothing answers`);
      if (bytes.length > MOST_INVENTORY_BYTES)
        throw new EdgeError('inventory_invalid', `${origin}: it gives too much`);
      try {
        return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
      } catch (cause) {
        throw new EdgeError('inventory_invalid', `${origin}: it is not a text in UTF-8`, { cause });
      }
    },
    set: (origin, answer) => {
      if (answer === undefined) answers.delete(origin);
      else answers.set(origin, typeof answer === 'string' ? new TextEncoder().encode(answer) : answer);
    },
  };
}
