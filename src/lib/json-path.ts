/**
 * Where in a JSON something is: names of fields and places in lists, one after another; `*` stands for each item of a list. `[]` is the
 * whole.
 */
export type JsonPath = readonly string[];

/** What is there: for a path with `*` a list, with `undefined` for the items that lack it; `undefined` where there is nothing. */
export function valueAt(value: unknown, [step, ...rest]: JsonPath): unknown {
  if (step === undefined) return value;
  if (step === '*') return Array.isArray(value) ? value.map((item) => valueAt(item, rest)) : undefined;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
  return valueAt(Object.getOwnPropertyDescriptor(value, step)?.value, rest);
}
