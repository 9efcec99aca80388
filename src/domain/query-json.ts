/** In which text of a JSON something stands; `path`: the names of the fields around it. */
export type JsonPlace = {
  readonly path: readonly string[];
  readonly isName: boolean;
  readonly isInList: boolean;
  readonly isEscaping: boolean;
};

/** A text is one token, the last one too where it is still open. */
const TOKEN = /"(?:[^"\\]|\\.)*(?:"|\\?$)|[{}[\],:]/gs;
const CLOSED = /^(?:.|"(?:[^"\\]|\\.)*")$/s;
type Level = { readonly isObject: boolean; readonly name?: string; readonly wantsName: boolean };

/** `undefined`: outside of texts. */
export function jsonPlaceAfter(before: string): JsonPlace | undefined {
  const tokens = [...before.matchAll(TOKEN)].map(([token]) => token);
  const open = tokens.at(-1);
  if (open === undefined || (open !== '"' && CLOSED.test(open))) return undefined;
  const levels = tokens.slice(0, -1).reduce(levelsAfter, []);
  return {
    path: levels.flatMap(({ name }) => (name === undefined ? [] : [name])),
    isName: levels.at(-1)?.wantsName ?? false,
    isInList: levels.at(-1)?.isObject === false,
    isEscaping: (/\\*$/.exec(open)?.[0].length ?? 0) % 2 === 1,
  };
}

function levelsAfter(levels: readonly Level[], token: string): readonly Level[] {
  const top = levels.at(-1);
  if (token === '{') return [...levels, { isObject: true, wantsName: true }];
  if (token === '[') return [...levels, { isObject: false, wantsName: false }];
  if (token === '}' || token === ']') return levels.slice(0, -1);
  if (!top?.isObject) return levels;
  if (token === ',') return [...levels.slice(0, -1), { isObject: true, wantsName: true }];
  if (token === ':') return [...levels.slice(0, -1), { ...top, wantsName: false }];
  return top.wantsName ? [...levels.slice(0, -1), { ...top, name: token.slice(1, -1) }] : levels;
}
