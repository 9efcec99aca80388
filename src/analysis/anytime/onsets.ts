/** Harm may begin later: another look begins after so many steps. */
const BEGIN_EVERY = 10;
/** Of the first look in the evidence; the later ones share the rest, 1/2 of it, 1/6, 1/12 and so on, which comes to all of it. */
const FIRST_SHARE = 0.9;

type Look<Sums> = { readonly since: Sums; readonly share: number };

/**
 * Looks at one series that begin one after the other, each with what the sums were then. An average of sequential tests is one, and what
 * has not begun yet counts as no evidence.
 */
export class Looks<Sums> {
  #begun: readonly Look<Sums>[];
  #steps = 0;

  constructor(nothing: Sums) {
    this.#begun = [{ since: nothing, share: FIRST_SHARE }];
  }

  /** Before each step; `sums` are those of the steps before it. */
  step(sums: Sums): void {
    if (this.#steps > 0 && this.#steps % BEGIN_EVERY === 0) {
      const place = this.#begun.length;
      const share = (1 - FIRST_SHARE) / (place * (place + 1));
      this.#begun = [...this.#begun, { since: sums, share }];
    }
    this.#steps += 1;
  }

  /** How many steps there were. */
  get steps(): number {
    return this.#steps;
  }

  /** The evidence of all looks; `of` gives that of one, from what the sums were when it began. */
  evidence(of: (since: Sums) => number): number {
    let left = 1;
    let evidence = 0;
    for (const { since, share } of this.#begun) {
      evidence += share * of(since);
      left -= share;
    }
    return evidence + left;
  }
}
