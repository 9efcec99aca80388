import { asPattern, openQuote, type PlacedValue, type QueryValue, type Quote } from './query-value.ts';

/** Where an operand would stand `/` begins a regular expression, and behind one it divides (influxql/parser.go). */
const BEFORE_OPERAND = /(?:[~,(]|\b(?:from|by|select))\s*$/i;

const QUOTES: readonly Quote[] = [
  { kind: 'comment', open: '--', close: '\n' },
  { kind: 'comment', open: '/*', close: '*/' },
  { kind: 'text', open: "'", close: "'", escapes: true },
  { kind: 'name', open: '"', close: '"', escapes: true },
  { kind: 'pattern', open: '/', close: '/', escapes: true, behind: BEFORE_OPERAND },
];

/**
 * A value in InfluxQL: in single quotes as a text, in double quotes as the name of a measurement, field or tag, and between slashes as a regular
 * expression that matches only itself wherever it is found. A window may stand outside of them.
 */
export function inInfluxql({ variable, text }: QueryValue, before: string): PlacedValue {
  const open = openQuote(before, QUOTES);
  if (!open && variable === 'window') return { text };
  if (!open || open.quote.kind === 'comment') return { why: `{{${variable}}} has to stand in quotes` };
  if (open.isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  if (/[\r\0]/.test(text) || (open.quote.kind === 'pattern' && text.includes('\n')))
    return { why: `{{${variable}}} holds a character that cannot be written here: a new line, or a zero` };
  if (open.quote.kind !== 'pattern') return { text: escaped(text, open.quote.close) };
  return { text: asPattern(text).replaceAll('/', '\\/') };
}

/** A backslash stands before these alone; before any other letter it makes the query one that cannot be read (influxql/scanner.go). */
const escaped = (text: string, quote: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll(quote, `\\${quote}`);
