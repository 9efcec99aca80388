const LONGEST = 200;
/** A pattern that tries more is slow on a text that almost fits. */
const MOST_OPEN_REPEATS = 4;

/**
 * Why a pattern that somebody wrote is not one to match whole texts with; `undefined` if it is. Left out is what looks around or
 * back, and what may take for ever on a text that almost fits: a part that is repeated, and repeats or chooses inside.
 */
export function patternFault(pattern: string): string | undefined {
  if (pattern.length === 0 || pattern.length > LONGEST) return `a pattern has 1 to ${LONGEST} characters`;
  try {
    // By itself: `a)|(b` would be one between the brackets that are put around it.
    new RegExp(pattern, 'u');
  } catch {
    return 'a regular expression, such as [a-z]+';
  }
  return repeatFault(pattern);
}

/** What a well-formed pattern (flag `u`) is made of: groups, classes, escapes, repeats, and single characters. */
const TOKEN =
  /\(\?:|\(\?|\[(?:\\.|[^\]\\])*\]|\\(?:u\{[^}]*\}|[pP]\{[^}]*\}|u[0-9a-fA-F]{4}|x..|c.|k|.)|(?:[*+?]|\{\d+(?:,\d*)?\})\??|./gsu;
const REPEAT = /^(?:[*+]|\{\d)/;
const OPEN_REPEAT = /^(?:[*+]|\{\d+,\})/;

/** Whether a part repeats, or chooses, anywhere inside. */
type Part = { repeats: boolean; chooses: boolean };

function repeatFault(pattern: string): string | undefined {
  const around: Part[] = [];
  let part: Part = { repeats: false, chooses: false };
  let closed: Part | undefined;
  let openRepeats = 0;
  for (const [token] of pattern.matchAll(TOKEN)) {
    if (token === '(?') return 'no part that looks around or has a name';
    if (/^\\[1-9k]/.test(token)) return 'no part that repeats what another one found';
    if (REPEAT.test(token)) {
      if (closed?.repeats || closed?.chooses)
        return 'no part in brackets that is repeated, and repeats or chooses inside';
      part.repeats = true;
      if (OPEN_REPEAT.test(token)) openRepeats += 1;
    }
    closed = undefined;
    if (token === '|') part.chooses = true;
    if (token === '(' || token === '(?:') {
      around.push(part);
      part = { repeats: false, chooses: false };
    }
    if (token === ')') {
      closed = part;
      const outer = around.pop() ?? part;
      part = { repeats: outer.repeats || closed.repeats, chooses: outer.chooses || closed.chooses };
    }
  }
  return openRepeats > MOST_OPEN_REPEATS
    ? `at most ${MOST_OPEN_REPEATS} parts without an upper bound`
    : undefined;
}

/** The pattern for a whole text, from its first character to its last. Only of one without fault. */
export const wholePattern = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 'u');
