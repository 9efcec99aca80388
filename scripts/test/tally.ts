/** What a run of tests comes to. */
export interface Tally {
  passed: number;
  failed: number;
  readonly skipped: { readonly title: string; readonly reason: string }[];
}

/** The last line of a run. */
export function totals({ passed, failed, skipped }: Tally): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped.length > 0 ? `${line}, ${skipped.length} skipped` : line;
}
