import { type JsonPlace, jsonPlaceAfter } from './query-json.ts';
import type { PlacedValue, QueryValue } from './query-value.ts';

/**
 * A value in the JSON of a search: in the texts of a `term`, or of the list of a `terms`, where it is compared whole. Elsewhere a text may be a
 * language of its own (`query_string`, `regexp`, `wildcard`, a script) or be taken apart (`match`), and there only a window may stand.
 */
export function inQueryDsl({ variable, text }: QueryValue, before: string): PlacedValue {
  const place = jsonPlaceAfter(before);
  if (!place) return { why: `{{${variable}}} has to stand in quotes` };
  if (place.isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  if (place.isName) return { why: `{{${variable}}} stands in place of a name` };
  if (variable !== 'window' && !isCompared(place))
    return { why: `{{${variable}}} has to stand in a term, where it is compared whole and is nothing else` };
  return { text: JSON.stringify(text).slice(1, -1) };
}

/** The path ends in `term`, a field, and perhaps `value`, or in `terms` and a field whose list it is: an aggregation has patterns there. */
function isCompared({ path, isInList }: JsonPlace): boolean {
  const [kind, field, value, ...rest] = path.slice(path.findLastIndex((name) => /^terms?$/.test(name)));
  if (field === undefined || rest.length > 0) return false;
  if (kind === 'term') return value === undefined || value === 'value';
  return kind === 'terms' && value === undefined && isInList;
}
