/** Harm may begin later: another onset is thought of after so many steps. */
const ONE_EVERY = 10;
/** Of the first onset in the evidence; the later ones share the rest, 1/2 of it, 1/6, 1/12 and so on, which comes to all of it. */
const FIRST_SHARE = 0.9;

/** More are not kept: the one that has the least evidence goes, and what it has is for those to come. */
const MOST = 16;

type Onset<Sums> = {
  readonly since: Sums;
  /** How many steps were before it. */
  readonly after: number;
  readonly share: number;
  /** Its part of the evidence, its share included. */
  readonly worth: number;
};

/** `after`: the steps before the onset that has most of it. */
export type Evidence = { readonly evidence: number; readonly after: number };

/**
 * The steps at which harm may have begun, each with what the sums of a test were then. An average of the evidence of sequential tests is
 * such evidence, and an onset that is still to come has none.
 */
export class Onsets<Sums> {
  #onsets: readonly Onset<Sums>[];
  #steps = 0;
  /** What no onset has yet. */
  #left = 1 - FIRST_SHARE;

  constructor(nothing: Sums) {
    this.#onsets = [{ since: nothing, after: 0, share: FIRST_SHARE, worth: FIRST_SHARE }];
  }

  /** Before each step; `sums` are those of the steps before it. */
  step(sums: Sums): void {
    if (this.#steps > 0 && this.#steps % ONE_EVERY === 0) {
      const share = this.#shareOfNext();
      this.#onsets = [...this.#onsets, { since: sums, after: this.#steps, share, worth: share }];
    }
    this.#steps += 1;
  }

  /** How many steps there were. */
  get steps(): number {
    return this.#steps;
  }

  /** That of all onsets; `of` gives that of one, from what the sums were then. */
  evidence(of: (since: Sums) => number): Evidence {
    this.#onsets = this.#onsets.map((onset) => ({ ...onset, worth: onset.share * of(onset.since) }));
    const strongest = this.#onsets.reduce((most, onset) => (onset.worth > most.worth ? onset : most));
    const evidence = this.#onsets.reduce((sum, { worth }) => sum + worth, this.#left);
    return { evidence, after: strongest.after };
  }

  #shareOfNext(): number {
    if (this.#onsets.length === MOST) this.#dropWeakest();
    const place = this.#steps / ONE_EVERY;
    const share = Math.min((1 - FIRST_SHARE) / (place * (place + 1)), this.#left);
    this.#left -= share;
    return share;
  }

  #dropWeakest(): void {
    const weakest = this.#onsets.reduce((least, onset) => (onset.worth < least.worth ? onset : least));
    this.#onsets = this.#onsets.filter((onset) => onset !== weakest);
    this.#left += weakest.worth;
  }
}
