import type { DeploymentRow } from '../../../src/api/contract.ts';
import type { EdgeError } from '../../../src/domain/errors.ts';
import { edge } from '../client.ts';
import type { Link } from './link.ts';
import { withItem } from './overview-rows.ts';
import { Store } from './store.ts';

export type Overview = {
  /** Newest first. */
  readonly deployments: readonly DeploymentRow[];
  /** Whether the first of them have come. */
  readonly isKnown: boolean;
  readonly link: Link;
};

/** The newest deployments, kept up with as long as somebody is signed in (contract C16). */
export class LiveOverview {
  readonly store = new Store<Overview>({ deployments: [], isKnown: false, link: { kind: 'opening' } });

  /** Until `signal` aborts; `onEnd` is told what ended it before. */
  async run(signal: AbortSignal, onEnd: (error: unknown) => void): Promise<void> {
    const onBreak = ({ message }: EdgeError) => this.#change({ link: { kind: 'broken', why: message } });
    try {
      const onOpen = () => this.#change({ link: { kind: 'live' } });
      const options = { signal, onBreak, onOpen, giveUpAfterMs: Number.POSITIVE_INFINITY };
      for await (const item of edge.overview({}, options)) {
        this.#change({ deployments: withItem(this.store.get().deployments, item), isKnown: true });
      }
    } catch (error) {
      if (!signal.aborted) onEnd(error);
    }
  }

  #change(change: Partial<Overview>): void {
    this.store.set({ ...this.store.get(), ...change });
  }
}
