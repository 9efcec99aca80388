const SHOWN = 8;

/** Names for a sentence: the first of them, and how many more there are. */
export function listOf(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return names.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
