import type { Mutant } from './mutant.ts';

/** Bugs of what keeps members out of service between their drain and their return. */
export const KEEPING_MUTANTS: readonly Mutant[] = [
  {
    name: 'drain-forgotten-after-its-step',
    story:
      'A drain that a reload of the balancer forgot is done again only while its step runs (GitLab incidents 4457 and 4485).',
    edits: [
      {
        file: 'src/worker/keeper.ts',
        from: 'if (back.has(entry.member)) await',
        to: 'if (back.size < 0) await',
      },
    ],
  },
  {
    name: 'parked-is-kept-by-nobody',
    story: 'What a deployment has parked is no longer looked after.',
    edits: [
      {
        file: 'src/adapters/sql/holds.ts',
        from: "SET phase = 'parked', reason = ?",
        to: "SET phase = 'parked', worker_pool = NULL, reason = ?",
      },
    ],
  },
  {
    name: 'kept-out-until-given-back',
    story: 'A member is kept out until its return has ended: what enable puts back is taken out again.',
    edits: [
      {
        file: 'src/engine/kept-out.ts',
        from: ".hold === 'give')",
        to: ".id === 'nothing')",
      },
    ],
  },
  {
    name: 'return-beside-its-keeper',
    story: 'A member is returned while another worker that has not heard of it may still take it out.',
    edits: [
      {
        file: 'src/adapters/sql/claim.ts',
        from: 'AND h.keep_as IS NULL AND (',
        to: 'AND 1 = 0 AND (',
      },
    ],
  },
  {
    name: 'return-forgotten-by-its-keeper',
    story: 'The worker that returns a member acts on an older answer, and takes it out once more.',
    edits: [
      {
        file: 'src/worker/keeping-balancer.ts',
        from: 'if (returnedMs >= sinceMs) return',
        to: 'if (returnedMs > Number.MAX_VALUE) return',
      },
    ],
  },
  {
    name: 'cut-off-write-forgotten',
    story: 'A write that was given up when its lease ran out is taken for one that never was (seed 391).',
    edits: [
      {
        file: 'src/worker/keeper.ts',
        from: 'if (lost.signal.aborted) this.#unanswered',
        to: 'if (this.#no < 0) this.#unanswered',
      },
    ],
  },
  {
    name: 'keeper-without-a-lease',
    story: 'A worker that was paused goes on with what it was told before.',
    edits: [
      {
        file: 'src/worker/keeper.ts',
        from: 'return this.#ports.clock.monotonicMs() < this.#leaseEndsAtMs ?',
        to: 'return this.#leaseEndsAtMs > 0 ?',
      },
      {
        file: 'src/worker/keeper.ts',
        from: 'if (this.#ports.clock.monotonicMs() >= this.#leaseEndsAtMs) throw',
        to: 'if (this.#no < 0) throw',
      },
      {
        file: 'src/worker/keeper.ts',
        from: '() => lost.abort(new Error(RUN_OUT)),',
        to: '() => undefined,',
      },
    ],
  },
];
