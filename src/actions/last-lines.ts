const KEEP = 2_000;
const LINES = 8;

/** The end of an output, for the message of a failure. */
export class LastLines {
  #kept = '';

  add(text: string): void {
    this.#kept = (this.#kept + text).slice(-KEEP);
  }

  /** The last lines, as they came. */
  text(): string {
    return this.#kept.trimEnd().split('\n').slice(-LINES).join('\n');
  }
}
