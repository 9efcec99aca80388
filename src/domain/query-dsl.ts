import type { PlacedValue, QueryValue } from './query-value.ts';

/**
 * A value in the JSON of a search: in the texts of a `term`, or of the list of a `terms`, where it is compared whole. Elsewhere a text may be a
 * language of its own (`query_string`, `regexp`, `wildcard`, a script) or be taken apart (`match`), and there only a window may stand.
 */
export function inQueryDsl({ variable, text }: QueryValue, before: string): PlacedValue {
  const place = placeAfter(before);
  if (!place) return { why: `{{${variable}}} has to stand in quotes` };
  if (place.isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  if (place.isName) return { why: `{{${variable}}} stands in place of a name` };
  if (variable !== 'window' && !isCompared(place))
    return { why: `{{${variable}}} has to stand in a term, where it is compared whole and is nothing else` };
  return { text: JSON.stringify(text).slice(1, -1) };
}

/** The path ends in `term`, a field, and perhaps `value`, or in `terms` and a field whose list it is: an aggregation has patterns there. */
function isCompared({ path, isInList }: Place): boolean {
  const [kind, field, value, ...rest] = path.slice(path.findLastIndex((name) => /^terms?$/.test(name)));
  if (field === undefined || rest.length > 0) return false;
  if (kind === 'term') return value === undefined || value === 'value';
  return kind === 'terms' && value === undefined && isInList;
}

/** In which text of a JSON something stands; `path`: the names of the fields around it. */
type Place = {
  readonly path: readonly string[];
  readonly isName: boolean;
  readonly isInList: boolean;
  readonly isEscaping: boolean;
};

/** A text is one token, the last one too where it is still open. */
const TOKEN = /"(?:[^"\\]|\\.)*(?:"|\\?$)|[{}[\],:]/gs;
const CLOSED = /^(?:.|"(?:[^"\\]|\\.)*")$/s;
type Level = { readonly isObject: boolean; readonly name?: string; readonly wantsName: boolean };

function placeAfter(before: string): Place | undefined {
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
