import { asPattern, type PlacedValue, type QueryValue } from './query-value.ts';

/**
 * A value in PromQL: inside quotes only, as a text, and behind `=~` and `!~` as a regular expression that matches nothing else. A window may
 * stand outside of them.
 */
export function inPromql({ variable, text: value }: QueryValue, before: string): PlacedValue {
  const { quote, isPattern, isEscaping } = placeAfter(before);
  if (quote === '' && variable === 'window') return { text: value };
  if (quote === '' || quote === '#') return { why: `{{${variable}}} has to stand in quotes` };
  if (isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  const text = isPattern ? asPattern(value) : value;
  if (quote !== '`') return { text: escaped(text, quote) };
  return text.includes('`') ? { why: `{{${variable}}} holds a backtick, and stands in such` } : { text };
}

/**
 * Where in a text of PromQL something stands. `quote`: that which is open, `#` for a comment. `isPattern`: what is in it, or in the next one, is a
 * regular expression. `isEscaping`: the next character is escaped.
 */
type Place = {
  readonly quote: string;
  readonly isPattern: boolean;
  readonly isEscaping: boolean;
  readonly last: string;
};
const OUTSIDE: Place = { quote: '', isPattern: false, isEscaping: false, last: '' };

/** As Go writes texts in quotes, which PromQL has from there; of the two quotes only the one that is open may be escaped. */
const escaped = (text: string, quote: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(quote, `\\${quote}`);

const placeAfter = (text: string): Place =>
  Array.from(text).reduce((place, char) => (place.quote === '' ? outside : inQuotes)(place, char), OUTSIDE);

function outside(place: Place, char: string): Place {
  if (/^["'`#]$/.test(char)) return { ...place, quote: char };
  if (/^\s$/.test(char)) return place;
  const isPattern = char === '~' && (place.last === '=' || place.last === '!');
  return { ...OUTSIDE, isPattern, last: char };
}

/** A comment may stand between an operator and its text, and there are no escapes between backticks. */
function inQuotes(place: Place, char: string): Place {
  const { quote, isEscaping } = place;
  if (isEscaping) return { ...place, isEscaping: false };
  if (quote === '#') return char === '\n' ? { ...place, quote: '' } : place;
  if (char === '\\' && quote !== '`') return { ...place, isEscaping: true };
  return char === quote ? OUTSIDE : place;
}
