import { openQuote, type PlacedValue, type QueryValue, type Quote } from './query-value.ts';

const QUOTES: readonly Quote[] = [
  { kind: 'comment', open: '--', close: '\n' },
  { kind: 'comment', open: '//', close: '\n' },
  { kind: 'comment', open: '/*', close: '*/' },
  { kind: 'text', open: "'", close: "'", escapes: true },
  { kind: 'name', open: '"', close: '"', escapes: true },
  { kind: 'name', open: '`', close: '`' },
];

/** Behind LIKE, RLIKE and in functions a text is a pattern. */
const COMPARED = /(?:=|\bIN\s*\((?:\s*"",)*)\s*$/i;

/**
 * A value in NRQL: in single quotes behind `=` or `!=`, or in the list of an `IN`, where it is compared whole. How a quote is written in such a
 * text New Relic does not say, so a value that has one, or a backslash, is refused. A window stands outside of quotes, as `300 seconds`.
 */
export function inNrql({ variable, text }: QueryValue, before: string): PlacedValue {
  const open = openQuote(before, QUOTES);
  if (!open && variable === 'window') return durationIn(text);
  if (open?.quote.kind !== 'text') return { why: `{{${variable}}} has to stand in single quotes` };
  if (!COMPARED.test(open.outside))
    return { why: `{{${variable}}} has to stand behind =, != or in the list of an IN` };
  if (open.isEscaping) return { why: `{{${variable}}} stands behind a backslash` };
  if (/['\\\p{Cc}]/u.test(text))
    return { why: `{{${variable}}} holds a quote, a backslash or a control character` };
  return { text };
}

function durationIn(window: string): PlacedValue {
  const seconds = /^(\d+)s$/.exec(window)?.[1];
  if (seconds === undefined) return { why: `{{window}} is ${window}, and no whole seconds` };
  return { text: `${seconds} seconds` };
}
