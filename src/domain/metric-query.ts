import { didYouMean } from '../lib/nearest.ts';
import { type Placeholder, parseTemplate, type TemplateProblem } from './template.ts';

/** What a query can be about: a server by its name, a version, a zone, and a stretch of time. */
export type QueryValues = {
  readonly server?: string;
  readonly version?: string;
  readonly zone?: string;
  readonly windowMs?: number;
};

/** `plain`: values stand as they are, for a source that takes the whole text as one value. */
export type QueryLanguage = 'promql' | 'plain';

export type FilledQuery =
  | { readonly kind: 'filled'; readonly text: string }
  | { readonly kind: 'refused'; readonly problems: readonly TemplateProblem[] };

const NAMES: readonly string[] = ['server', 'version', 'zone', 'window'];

/**
 * Puts values into a query: `{{server}}`, `{{version}}`, `{{zone}}`, and `{{window}}` as a duration (`300s`). In PromQL a value is what it is,
 * letter by letter: inside quotes only, as a text, and behind `=~` and `!~` as a regular expression that matches nothing else. A name
 * that nobody knows, one without a value, and one that would stand where it could mean more are refused, all at once.
 */
export function fillQuery(template: string, values: QueryValues, language: QueryLanguage): FilledQuery {
  const { parts, problems } = parseTemplate(template);
  const found: TemplateProblem[] = [...problems];
  let place = OUTSIDE;
  const texts = parts.map((part) => {
    if (typeof part === 'string') {
      if (language === 'promql') place = placeAfter(part, place);
      return part;
    }
    const filled = language === 'plain' ? textFor(part, values) : inPromql(part, values, place);
    if ('text' in filled) return filled.text;
    found.push({ line: part.line, message: filled.why });
    return '';
  });
  if (found.length > 0) return { kind: 'refused', problems: found.toSorted((a, b) => a.line - b.line) };
  return { kind: 'filled', text: texts.join('') };
}

type Value = { readonly text: string } | { readonly why: string };

function textFor({ variable }: Placeholder, values: QueryValues): Value {
  if (!NAMES.includes(variable))
    return { why: `{{${variable}}} is none of those that a query has. ${didYouMean(variable, NAMES)}` };
  const text = textsOf(values)[variable];
  return text === undefined ? { why: `{{${variable}}} has no value here` } : { text };
}

const textsOf = ({ windowMs, ...texts }: QueryValues): Readonly<Record<string, string | undefined>> => ({
  ...texts,
  window: windowMs === undefined ? undefined : durationOf(windowMs),
});

const durationOf = (ms: number): string => (ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`);

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

function inPromql(placeholder: Placeholder, values: QueryValues, place: Place): Value {
  const value = textFor(placeholder, values);
  const { variable } = placeholder;
  const { quote, isPattern, isEscaping } = place;
  if (!('text' in value)) return value;
  if (quote === '' && variable === 'window') return value;
  if (quote === '' || quote === '#') return { why: `{{${variable}}} has to stand in quotes` };
  if (isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  const text = isPattern ? value.text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&') : value.text;
  if (quote !== '`') return { text: escaped(text, quote) };
  return text.includes('`') ? { why: `{{${variable}}} holds a backtick, and stands in such` } : { text };
}

/** As Go writes texts in quotes, which PromQL has from there; of the two quotes only the one that is open may be escaped. */
const escaped = (text: string, quote: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(quote, `\\${quote}`);

const placeAfter = (text: string, before: Place): Place =>
  Array.from(text).reduce((place, char) => (place.quote === '' ? outside : inQuotes)(place, char), before);

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
