/** How a sequential test stands: what it has seen up to now, and whether that suffices. It may be asked after each step. */
export abstract class Standing {
  readonly #alpha: number;
  #evidence = 1;
  #most = 1;
  #since = 0;

  /** `alpha`: the most that may be wrong, however often it is asked. */
  constructor(alpha: number) {
    this.#alpha = alpha;
  }

  /** `since`: the step after which harm has begun, if it has. */
  protected stands(evidence: number, since: number): void {
    this.#evidence = evidence;
    if (evidence <= this.#most) return;
    this.#most = evidence;
    this.#since = since;
  }

  /** By how much more likely what was seen is with harm. */
  get evidence(): number {
    return this.#evidence;
  }

  /** Valid at any time: the chance of so much evidence, by now or before, without harm. */
  get p(): number {
    return Math.min(1, 1 / this.#most);
  }

  /** After how many steps harm most likely began, by what was the most evidence of it so far. */
  get since(): number {
    return this.#since;
  }

  get isAlarm(): boolean {
    return this.#most >= 1 / this.#alpha;
  }
}
