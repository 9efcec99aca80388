import type { JsonObject } from './json.ts';

/**
 * A type with every field and item readonly, all the way down. Texts with a brand stay what they are, and so does JSON of
 * any shape, which is readonly already and has no bottom.
 */
export type DeepReadonly<T> = JsonObject extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends (infer Item)[]
      ? readonly DeepReadonly<Item>[]
      : T extends object
        ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
        : T;
