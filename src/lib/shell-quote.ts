/**
 * One argument as a word of a POSIX shell that stands for exactly these bytes: single quotes, in which nothing is special.
 * The only place where Edge quotes. Throws a RangeError for what no argument can hold: NUL, and half of a surrogate pair.
 */
export function shellQuote(argument: string): string {
  if (argument.includes('\0')) throw new RangeError('an argument cannot hold a NUL byte');
  if (!argument.isWellFormed()) throw new RangeError('an argument cannot hold half of a surrogate pair');
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

/** An argument list as the words of one command line. */
export function shellQuoteAll(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}
