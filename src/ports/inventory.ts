import type { TextFormat, TextSource } from '../domain/inventory.ts';

/** Where targets are listed, outside of Edge's own configuration. It is looked at and never changed. */
export interface Inventory {
  /**
   * What a source says now, whole: never a read that began before this call, and at most `MOST_INVENTORY_BYTES`. Rejects with
   * `inventory_unreachable`, `inventory_invalid` (too long, or no text) or `secret_unavailable` (EdgeError); none of them
   * quotes what was read.
   */
  read(source: TextSource, signal: AbortSignal): Promise<InventoryText>;
}

/** `format`: what its name says it is; left out where it has none. */
export type InventoryText = { readonly text: string; readonly format?: TextFormat };
