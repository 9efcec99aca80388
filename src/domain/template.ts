/** A template that was taken apart: text as it stands, and where a variable goes. */
export type TemplatePart = string | Placeholder;
export type Placeholder = {
  readonly variable: string;
  /** From 1. */
  readonly line: number;
  /** Nothing else stands on its line: only there may a value have several lines, since it can end no other setting. */
  readonly alone: boolean;
};

export type TemplateProblem = { readonly line: number; readonly message: string };
/** What is in the place of a problem is in no part. */
export type Template = {
  readonly parts: readonly TemplatePart[];
  readonly problems: readonly TemplateProblem[];
};

export const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/;
const ESCAPED = '{{{{';
/** Two braces twice stand for two braces; else what is up to the next two closing braces, on the same line. */
const MARK = /\{\{\{\{|\{\{([^\n{}]*)\}\}|\{\{/g;

/**
 * Reads a template. `{{name}}` stands for a variable, with spaces around the name or without; `{{{{` for `{{`. There is nothing
 * else: no expression, no condition, no call.
 */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = [];
  const problems: TemplateProblem[] = [];
  const lineAt = lineCounter(text);
  let end = 0;
  for (const mark of text.matchAll(MARK)) {
    const [written, inner] = mark;
    parts.push(text.slice(end, mark.index));
    end = mark.index + written.length;
    if (written === ESCAPED) {
      parts.push('{{');
      continue;
    }
    const variable = (inner ?? '').trim();
    const line = lineAt(mark.index);
    if (VARIABLE_NAME.test(variable))
      parts.push({ variable, line, alone: standsAlone(text, mark.index, end) });
    else problems.push({ line, message: notUnderstood(written) });
  }
  parts.push(text.slice(end));
  return { parts: parts.filter((part) => part !== ''), problems };
}

const notUnderstood = (written: string): string =>
  written === '{{'
    ? 'two opening braces that are not closed on their line; write {{{{ for two braces'
    : `${JSON.stringify(written)} names no variable: a name has letters, digits, dots, dashes and underscores`;

/** Asked for positions that grow: counts each line once. */
function lineCounter(text: string): (position: number) => number {
  let line = 1;
  let counted = 0;
  return (position) => {
    for (; counted < position; counted += 1) if (text[counted] === '\n') line += 1;
    return line;
  };
}

const standsAlone = (text: string, start: number, end: number): boolean =>
  (start === 0 || text[start - 1] === '\n') &&
  (end === text.length || text[end] === '\n' || text.startsWith('\r\n', end));
