const LONGEST_PATTERN = 200;
/** Longer texts are never given to a pattern; to one that has to try much, only shorter ones. */
export const LONGEST_TEXT = 1_024;
const LENGTHS = [LONGEST_TEXT, 512, 256, 128, 64] as const;
/** What a pattern may take on the worst text that it is given: less than a tenth of a second. */
const MOST_STEPS = 10_000_000;

/**
 * Why a pattern that somebody wrote is not one to match whole texts with; `undefined` if it is. Left out is what looks around or
 * back, and what may take long on a text that almost fits.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length === 0 || pattern.length > LONGEST_PATTERN)
    return `a pattern has 1 to ${LONGEST_PATTERN} characters`;
  try {
    // By itself: `a)|(b` would be one between the brackets that are put around it.
    new RegExp(pattern, 'u');
  } catch {
    return 'a regular expression, such as [a-z]+';
  }
  const tokens = tokensOf(pattern);
  if (tokens.includes('(?')) return 'no part that looks around or has a name';
  if (tokens.some((token) => /^\\[1-9k]/.test(token))) return 'no part that repeats what another one found';
  if (longestFor(pattern) > 0) return undefined;
  return 'a pattern that is matched at once: fewer or smaller repeats, and none inside another';
}

/** The longest text that a pattern is given, in characters; 0 if it takes long on any. Only of one that is well-formed. */
export function longestFor(pattern: string): number {
  const tokens = tokensOf(pattern);
  return LENGTHS.find((length) => workOf(tokens, length).steps <= MOST_STEPS) ?? 0;
}

const tokensOf = (pattern: string): readonly string[] => [...pattern.matchAll(TOKEN)].map(([token]) => token);

/** The pattern for a whole text, from its first character to its last. Only of one without fault. */
export const wholePattern = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 'u');

/** What a well-formed pattern (flag `u`) is made of: groups, classes, escapes, repeats, and single characters. */
const TOKEN =
  /\(\?:|\(\?|\[(?:\\.|[^\]\\])*\]|\\(?:u\{[^}]*\}|[pP]\{[^}]*\}|u[0-9a-fA-F]{4}|x..|c.|k|.)|(?:[*+?]|\{\d+(?:,\d*)?\})\??|./gsu;
const REPEAT = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/;

/** At most: in how many ways a part can match one text, and in how many steps all of them are tried. */
type Work = { readonly ways: number; readonly steps: number };

const SINGLE: Work = { ways: 1, steps: 1 };
const EMPTY: Work = { ways: 1, steps: 1 };
const NOTHING: Work = { ways: 0, steps: 0 };

/** After each way of the one, the other is tried as a whole. */
const then = (one: Work, other: Work): Work => ({
  ways: one.ways * other.ways,
  steps: one.steps + one.ways * other.steps,
});

const either = (one: Work, other: Work): Work => ({
  ways: one.ways + other.ways,
  steps: one.steps + other.steps,
});

function repeated(part: Work, [least, most]: readonly [number, number], longest: number): Work {
  let times = EMPTY;
  let all = least === 0 ? EMPTY : NOTHING;
  for (let count = 1; count <= Math.min(most, longest); count += 1) {
    times = then(times, part);
    all = { ways: count < least ? 0 : all.ways + times.ways, steps: times.steps };
  }
  return { ways: Math.max(1, all.ways), steps: all.steps };
}

function boundsOf(token: string): readonly [number, number] | undefined {
  const [found, sign, least = '', comma, most = ''] = REPEAT.exec(token) ?? [];
  if (found === undefined) return undefined;
  if (sign === '?') return [0, 1];
  if (sign !== undefined) return [sign === '+' ? 1 : 0, Number.POSITIVE_INFINITY];
  if (comma === '') return [Number(least), Number(least)];
  return [Number(least), most === '' ? Number.POSITIVE_INFINITY : Number(most)];
}

/** A part in brackets, as far as it was read: its alternatives before this one, and of this one what stands before its last piece. */
type Open = { readonly others: Work; readonly before: Work; readonly last: Work };

const BEGUN: Open = { others: NOTHING, before: EMPTY, last: EMPTY };
const ended = ({ others, before, last }: Open): Work => either(others, then(before, last));

/** As an engine works that goes back to every choice, one after the other, until the whole matches. */
function workOf(tokens: readonly string[], longest: number): Work {
  const around: Open[] = [];
  let open = BEGUN;
  for (const token of tokens) {
    const bounds = boundsOf(token);
    if (bounds) open = { ...open, last: repeated(open.last, bounds, longest) };
    else if (token === '|') open = { ...BEGUN, others: ended(open) };
    else if (token === ')') {
      const part = ended(open);
      open = { ...(around.pop() ?? BEGUN), last: part };
    } else {
      open = { ...open, before: then(open.before, open.last), last: SINGLE };
      if (token === '(' || token === '(?:') {
        around.push(open);
        open = BEGUN;
      }
    }
  }
  return ended(open);
}
