/** JSON that this store wrote itself, so its shape is named and not checked. */
export function parse<T>(text: string): T {
  return JSON.parse(text) as T;
}

export const parseOrNull = <T>(text: string | null): T | null => (text === null ? null : parse<T>(text));
