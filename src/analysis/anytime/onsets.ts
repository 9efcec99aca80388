/** Harm may begin later: another onset is thought of after so many steps. */
const ONE_EVERY = 10;
/** Of the first onset in the evidence; the later ones share the rest, 1/2 of it, 1/6, 1/12 and so on, which comes to all of it. */
const FIRST_SHARE = 0.9;

type Onset<Sums> = { readonly since: Sums; readonly share: number };

/**
 * The steps at which harm may have begun, each with what the sums of a test were then. An average of the evidence of sequential tests is
 * such evidence, and an onset that is still to come has none.
 */
export class Onsets<Sums> {
  #onsets: readonly Onset<Sums>[];
  #steps = 0;

  constructor(nothing: Sums) {
    this.#onsets = [{ since: nothing, share: FIRST_SHARE }];
  }

  /** Before each step; `sums` are those of the steps before it. */
  step(sums: Sums): void {
    if (this.#steps > 0 && this.#steps % ONE_EVERY === 0) {
      const place = this.#onsets.length;
      const share = (1 - FIRST_SHARE) / (place * (place + 1));
      this.#onsets = [...this.#onsets, { since: sums, share }];
    }
    this.#steps += 1;
  }

  /** How many steps there were. */
  get steps(): number {
    return this.#steps;
  }

  /** That of all onsets; `of` gives that of one, from what the sums were then. */
  evidence(of: (since: Sums) => number): number {
    let left = 1;
    let evidence = 0;
    for (const { since, share } of this.#onsets) {
      evidence += share * of(since);
      left -= share;
    }
    return evidence + left;
  }
}
