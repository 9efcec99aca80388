import type { EdgeClient } from '../../../src/api/client.ts';
import type { Input } from '../../../src/api/contract.ts';
import { OutputLines } from '../../../src/words/output-lines.ts';
import type { OutputLine } from '../../../src/words/watched.ts';
import { Store } from './store.ts';

/** `number`: counts the lines of this feed from 0. */
export type LogLine = OutputLine & { readonly number: number };

export type Log = {
  /** The newest, oldest first. */
  readonly lines: readonly LogLine[];
  /** How many were before those. */
  readonly dropped: number;
  readonly error: unknown;
};

const KEPT = 1_000;
const FRAME_MS = 100;

/** Output as it comes, over as many connections as it takes. */
export class LogFeed {
  readonly store = new Store<Log>({ lines: [], dropped: 0, error: null });
  readonly #client: Pick<EdgeClient, 'followLogs'>;
  readonly #lines = new OutputLines();
  #count = 0;
  #arrived: LogLine[] = [];

  constructor(client: Pick<EdgeClient, 'followLogs'>) {
    this.#client = client;
  }

  async run(input: Input<'followLogs'>, signal: AbortSignal): Promise<void> {
    try {
      const options = { signal, giveUpAfterMs: Number.POSITIVE_INFINITY };
      for await (const row of this.#client.followLogs(input, options)) this.#add(this.#lines.add(row));
      this.#add(this.#lines.rest());
    } catch (error) {
      if (!signal.aborted) this.store.set({ ...this.store.get(), error });
    }
  }

  #add(lines: readonly OutputLine[]): void {
    if (lines.length === 0) return;
    if (this.#arrived.length === 0) setTimeout(() => this.#flush(), FRAME_MS);
    for (const line of lines) this.#arrived.push({ ...line, number: this.#count++ });
  }

  #flush(): void {
    const log = this.store.get();
    const all = [...log.lines, ...this.#arrived];
    this.#arrived = [];
    const dropped = Math.max(0, all.length - KEPT);
    this.store.set({ ...log, lines: all.slice(dropped), dropped: log.dropped + dropped });
  }
}
