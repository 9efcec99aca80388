/** For sorting: numbers in names count as numbers, so that `web-2` is before `web-10`. The same on every machine. */
export function byName({ name: a }: Named, { name: b }: Named): number {
  return compare(keyOf(a), keyOf(b)) || compare(a, b);
}

type Named = { readonly name: string };

const LONGEST = 64;
const keyOf = (name: string): string => name.replaceAll(/\d+/g, (digits) => digits.padStart(LONGEST, '0'));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
