import { styleText } from 'node:util';

/** What a piece of text is about; on a terminal with colours it has one. No meaning is carried by the tone alone. */
export type Tone = 'plain' | 'strong' | 'dim' | 'good' | 'bad' | 'warn' | 'active';
export type Span = { readonly text: string; readonly tone: Tone };
/** One line of the screen, without its end. */
export type Line = readonly Span[];

export const span = (text: string, tone: Tone = 'plain'): Span => ({ text, tone });
export const line = (text: string, tone: Tone = 'plain'): Line => [span(text, tone)];
export const textOf = (spans: Line): string => spans.map(({ text }) => text).join('');

const FORMATS = {
  plain: 'reset',
  strong: 'bold',
  dim: 'dim',
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  active: 'cyan',
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

/** The line as it is written: with SGR sequences around its tones, or as plain text. */
export function paint(spans: Line, colour: boolean): string {
  if (!colour) return textOf(spans).trimEnd();
  return spans.map(({ text, tone }) => (tone === 'plain' ? text : styled(text, tone))).join('');
}

const styled = (text: string, tone: Tone) => styleText(FORMATS[tone], text, { validateStream: false });

/** Cuts a line to a number of columns; an ellipsis shows that something was left out. */
export function clipLine(spans: Line, columns: number): Line {
  if (textWidth(textOf(spans)) <= columns) return spans;
  const clipped: Span[] = [];
  let left = columns - 1;
  for (const { text, tone } of spans) {
    const part = clipText(text, left);
    clipped.push({ text: part, tone });
    left -= textWidth(part);
    if (part !== text) break;
  }
  return [...clipped, span('…', 'dim')];
}

/** Breaks a line of one tone between words, into so many rows at most; those after the first are set in. */
export function wrapLine(spans: Line, columns: number, most: number): readonly Line[] {
  const tone = spans[0]?.tone ?? 'plain';
  const rows: string[] = [''];
  for (const word of textOf(spans).split(/(?<= )/)) {
    const row = rows.at(-1) ?? '';
    const fits = textWidth(row + word.trimEnd()) <= columns || row.trim() === '' || rows.length === most;
    if (fits) rows[rows.length - 1] = row + word;
    else rows.push(`    ${word}`);
  }
  return rows.map((text) => line(text.trimEnd(), tone));
}

/** The longest beginning of a text that is at most so many columns wide. */
function clipText(text: string, columns: number): string {
  let width = 0;
  let part = '';
  for (const char of text) {
    width += charWidth(char);
    if (width > columns) break;
    part += char;
  }
  return part;
}

/** At least so wide, filled with spaces. */
export function padText(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

/** Columns that a text takes in a terminal. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

const NARROW = /^[ -~]$/;
const NO_WIDTH = /^(?:\p{Mn}|\p{Me}|[\u200b-\u200d])$/u;
/** East Asian Wide and Fullwidth blocks of UAX #11, and emoji that are shown as pictures. */
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])$/u;

function charWidth(char: string): number {
  if (NARROW.test(char)) return 1;
  if (NO_WIDTH.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
}
