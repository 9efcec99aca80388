import { oneLine } from '../lib/inert-text.ts';

const MARK = '::edge progress ';
const LONGEST = 200;

/**
 * Finds in the output of a command, however it is cut, lines such as `::edge progress 40% copying users`, and tells the newest. The
 * worker passes on what stands when it renews its lease, so that a command that writes many of them costs no more.
 */
export class ProgressLines {
  readonly #tell: (text: string) => void;
  /** As much of the line that has begun as could matter. */
  #line = '';

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  add(text: string): void {
    let found: string | undefined;
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      found = progressIn(this.#line + line) ?? found;
      this.#line = '';
    }
    this.#line = (this.#line + rest).slice(0, MARK.length + 2 * LONGEST);
    if (found !== undefined) this.#tell(found);
  }
}

function progressIn(line: string): string | undefined {
  if (!line.startsWith(MARK)) return undefined;
  const text = oneLine(line.slice(MARK.length, MARK.length + 2 * LONGEST));
  return text === '' ? undefined : text.slice(0, LONGEST);
}
