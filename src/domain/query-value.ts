/** A value on its way into a query: the name of its placeholder, and its text. */
export type QueryValue = { readonly variable: string; readonly text: string };

/** How it stands in the query, or why it cannot. */
export type PlacedValue = { readonly text: string } | { readonly why: string };

/** Puts a value behind a text of a query, in the language of that. */
export type PlaceValue = (value: QueryValue, before: string) => PlacedValue;

/** As a regular expression that matches only this text, in what all kinds of them share. */
export const asPattern = (text: string): string => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&');

/** In what a part of a query stands. */
export type Quote = {
  readonly kind: 'text' | 'name' | 'pattern' | 'comment';
  readonly open: string;
  readonly close: string;
  /** A backslash takes the next character along. */
  readonly escapes?: boolean;
  /** It opens only behind this; where it is left out, anywhere outside of others. */
  readonly behind?: RegExp;
};

/** That which is open at the end of a text. `outside`: what is before it, with `""` for each that was closed; `inside`: what of it is there. */
export type OpenQuote = {
  readonly quote: Quote;
  readonly outside: string;
  readonly inside: string;
  readonly isEscaping: boolean;
};

export function openQuote(text: string, quotes: readonly Quote[]): OpenQuote | undefined {
  let outside = '';
  for (let at = 0; at < text.length; ) {
    const quote = quotes.find(
      ({ open, behind }) => text.startsWith(open, at) && (behind?.test(outside) ?? true),
    );
    if (!quote) {
      outside += text[at];
      at += 1;
      continue;
    }
    const start = at + quote.open.length;
    const end = endOf(text, start, quote);
    if (end >= text.length)
      return { quote, outside, inside: text.slice(start), isEscaping: end > text.length };
    if (quote.kind !== 'comment') outside += '""';
    at = end + quote.close.length;
  }
  return undefined;
}

/** Where it is closed; the end of the text where it is not, and one more where a backslash is the last of it. */
function endOf(text: string, start: number, { close, escapes }: Quote): number {
  let at = start;
  while (at < text.length && !text.startsWith(close, at)) at += escapes && text[at] === '\\' ? 2 : 1;
  return at;
}
