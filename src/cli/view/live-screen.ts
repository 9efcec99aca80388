import { textWidth } from './line.ts';

/** Writes frames over each other at the end of a terminal; what was above stays, and so does the last frame. */
export class LiveScreen {
  readonly #write: (text: string) => unknown;
  #widths: readonly number[] = [];

  constructor(write: (text: string) => unknown) {
    this.#write = write;
  }

  /** `plain`: the lines as they are seen, `painted`: as they are written. No line may be wider than the terminal. */
  draw(
    frame: { readonly plain: readonly string[]; readonly painted: readonly string[] },
    columns: number,
  ): void {
    const up = this.#height(columns);
    const lines = frame.painted.map((text) => `${text}\u001b[K\n`).join('');
    this.#write(`${up > 0 ? `\u001b[${up}A` : ''}\r${lines}\u001b[J`);
    this.#widths = frame.plain.map(textWidth);
  }

  /** Rows of the last frame as they stand now: a terminal that has become narrower has broken its lines. */
  #height(columns: number): number {
    const rowsOf = (width: number) => Math.max(1, Math.ceil(width / Math.max(1, columns)));
    return this.#widths.reduce((rows, width) => rows + rowsOf(width), 0);
  }
}
