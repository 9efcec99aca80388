import fc from 'fast-check';

/**
 * What has hurt others: line ends, NUL, quotes, commands, options, ways out of a folder, marks of templates and formats, letters that are
 * none. Run in a folder, each of the commands would leave a file `ran` there.
 */
const ATTACKS = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\t',
    ' ',
    '"',
    "'",
    '\\',
    '\\n',
    ';',
    '|',
    '&',
    '*',
    '~',
    '#',
    '=',
    '!',
    '{',
    '}',
  ],
  ...[
    '$(touch ran)',
    '`touch ran`',
    '; touch ran;',
    '\ntouch ran\n',
    '\r\ntouch ran',
    '| touch ran',
    '& touch ran &',
  ],
  ...[
    "'; touch ran; '",
    '"; touch ran; "',
    "'$(touch ran)'",
    '\\`touch ran`',
    '$((`touch ran`))',
    '${x:-$(touch ran)}',
  ],
  ...['-oProxyCommand=touch ran', '-c touch ran', 'exec touch ran', '--', '-e', '-rf', 'EOF', '${x}', '%s%n'],
  ...['/', '../', '../../etc/passwd', '{{', '}}', '{{{{', '{{a}}', '{{ a }}', '{{b'],
  ...['é', '日本', '𝕏', '\u2028', '\u202E', '\uFEFF', '\uD800', '\x01\x81\x88', '\x1b[2J'],
];

/** Texts made of such parts, and of any characters between them. */
export const hostileText = fc
  .array(fc.oneof(fc.constantFrom(...ATTACKS), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 8 })
  .map((parts) => parts.join(''));
