/**
 * Text from elsewhere (hosts, other people's reasons) that does nothing to a terminal: escape sequences are cut out whole
 * (ECMA-48: CSI, OSC and the other strings, two-character escapes; with ESC or as C1 characters), and so are the control
 * characters that are left, except line feed and tab, and the characters that turn the direction of text around.
 */
export function inert(text: string): string {
  return text.replaceAll(SEQUENCES, '').replaceAll(CONTROLS, '');
}

/** A value of JSON with every text in it inert, keys as they are. */
export function inertDeep<T>(value: T): T {
  // The shape is kept and texts stay texts, which the compiler cannot see.
  return mapped(value) as T;
}

function mapped(value: unknown): unknown {
  if (typeof value === 'string') return inert(value);
  if (Array.isArray(value)) return value.map(mapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapped(item)]));
}

/** On one line, however it came. */
export function oneLine(text: string): string {
  return inert(text).replaceAll(/\s+/g, ' ').trim();
}

/**
 * JSON that means the same and does nothing to a terminal: what `JSON.stringify` leaves as it is (DEL, C1, line separators,
 * direction marks) is written as an escape.
 */
export function inertJson(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null';
  return text.replaceAll(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const STRING_BODY = '[^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u001b\\\\|\\u009c)?';
const CSI_BODY = '[0-?]*[ -/]*[@-~]?';
const SEQUENCES = new RegExp(
  [
    `(?:\\u001b\\[|\\u009b)${CSI_BODY}`,
    `(?:\\u001b[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])${STRING_BODY}`,
    '\\u001b[ -/]*[0-~]?',
  ].join('|'),
  'g',
);
const DIRECTION = '\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069';
const CONTROLS = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u2028\\u2029${DIRECTION}]`, 'g');
const ESCAPED = new RegExp(`[\\u007f-\\u009f\\u2028\\u2029${DIRECTION}]`, 'g');
