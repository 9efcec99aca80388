import { asPattern, openQuote, type PlacedValue, type QueryValue, type Quote } from './query-value.ts';

const QUOTES: readonly Quote[] = [
  { kind: 'text', open: "'", close: "'", escapes: true },
  { kind: 'text', open: '"', close: '"', escapes: true },
];

/**
 * A value in a target of Graphite. Behind `tag=` in a `seriesByTag` it is a text, and behind `tag=~` a regular expression that matches it and
 * whatever begins with it: Graphite binds only the beginning, so write `$` behind it. Anywhere else, in a path or in the text of another
 * function, letters, digits, `_` and `-` may stand; all else could be part of a path, a glob or a regular expression.
 */
export function inGraphite(value: QueryValue, before: string): PlacedValue {
  const { variable, text } = value;
  const open = openQuote(before, QUOTES);
  if (open?.isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  const tagged = open && BY_TAG.test(open.outside) ? TAG.exec(open.inside) : undefined;
  if (open && tagged) return inTag(value, { quote: open.quote.open, isPattern: tagged[1] === '~' });
  if (/^[\w-]+$/.test(text)) return { text };
  return {
    why: `{{${variable}}} has to stand behind tag= in a seriesByTag: it holds more than letters, digits, _ and -`,
  };
}

/** The call that is open, with what it was given before. */
const BY_TAG = /\bseriesByTag\s*\(\s*(?:""\s*,\s*)*$/;
const TAG = /^[^=!~;^]+!?=(~?)/;

/**
 * There is no escape in these texts: what it would need is refused. `tag=~` would begin a pattern. What was
 * found before is kept under all tags with colons between them, where there is a cache: a value must not look like two of them.
 */
function inTag(
  { variable, text }: QueryValue,
  { quote, isPattern }: { readonly quote: string; readonly isPattern: boolean },
): PlacedValue {
  if (/[\\;\r\n\0]|^~|:.*=/s.test(text) || text.includes(quote))
    return {
      why: `{{${variable}}} holds what no tag of Graphite can: a backslash, a semicolon, a new line, the quote around it, ~ at its beginning, or = behind a colon`,
    };
  return { text: isPattern ? asPattern(text) : text };
}
