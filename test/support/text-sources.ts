import { inventorySchema, type TextSource } from '../../src/domain/inventory.ts';

/** A source as it is written, with its defaults. */
export function textSource<From extends TextSource['from']>(
  fields: { readonly from: From } & Readonly<Record<string, unknown>>,
): Extract<TextSource, { from: From }> {
  // The schema gives back the variant that it was given.
  return inventorySchema.parse(fields) as unknown as Extract<TextSource, { from: From }>;
}
