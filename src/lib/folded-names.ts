/**
 * Names that differ in one number only, written once: `web-1`, `web-2`, `web-3`, `db` is `web-[1-3], db`. Numbers of equal width keep their
 * leading zeros. In the order of the first of each.
 */
export function foldedNames(names: readonly string[]): readonly string[] {
  const asWide = ({ before, digits, after }: Parts) => JSON.stringify([before, digits.length, after]);
  const padded = new Set(
    names
      .map(partsOf)
      .filter(({ digits }) => digits.startsWith('0'))
      .map(asWide),
  );
  const groups = Map.groupBy(names, (name) => {
    const parts = partsOf(name);
    if (parts.digits === '') return JSON.stringify([name]);
    return padded.has(asWide(parts)) ? asWide(parts) : JSON.stringify([parts.before, 0, parts.after]);
  });
  return [...groups.values()].map((group) => (group.length === 1 ? (group[0] ?? '') : folded(group)));
}

type Parts = { readonly before: string; readonly digits: string; readonly after: string };

/** The last number of a name is what counts its kind. */
function partsOf(name: string): Parts {
  const [, before = '', digits = '', after = ''] = /^(.*?)(\d{1,15})(\D*)$/.exec(name) ?? [];
  return { before, digits, after };
}

function folded(group: readonly string[]): string {
  const parts = group.map(partsOf).toSorted((a, b) => Number(a.digits) - Number(b.digits));
  const runs: { first: string; last: string }[] = [];
  for (const { digits } of parts) {
    const run = runs.at(-1);
    if (run && Number(digits) === Number(run.last) + 1) run.last = digits;
    else runs.push({ first: digits, last: digits });
  }
  const spans = runs.map(({ first, last }) => (first === last ? first : `${first}-${last}`));
  const { before = '', after = '' } = parts[0] ?? {};
  return `${before}[${spans.join(',')}]${after}`;
}
