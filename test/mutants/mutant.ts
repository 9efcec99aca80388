/** One replacement of source text. `from` occurs exactly once in `file`. */
export type Edit = { readonly file: string; readonly from: string; readonly to: string };

/** A bug that somebody could have written: a small patch, and the story of what goes wrong with it. */
export type Mutant = {
  readonly name: string;
  /** What the patched code does, and the failure of another system that it is named after (FAULTS.md section 1). */
  readonly story: string;
  readonly edits: readonly Edit[];
};

/** A source with edits applied. Throws when the text of one is not there exactly once: the code has moved on. */
export function patched(source: string, edits: readonly Edit[]): string {
  const places = edits.map((edit) => ({ edit, start: placeOf(source, edit) }));
  let result = source;
  for (const { edit, start } of places.toSorted((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + edit.to + result.slice(start + edit.from.length);
  }
  return result;
}

function placeOf(source: string, { file, from }: Edit): number {
  const start = source.indexOf(from);
  if (start < 0) throw new Error(`${file} has nowhere the text:\n${from}`);
  if (source.indexOf(from, start + 1) >= 0) throw new Error(`${file} has more than once the text:\n${from}`);
  return start;
}
