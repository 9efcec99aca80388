import type { StoredEventRow, WatchItem } from '../../../src/api/contract.ts';
import type { DeploymentId } from '../../../src/domain/ids.ts';
import type { Expected } from '../../../src/words/watched.ts';
import { edge } from '../client.ts';
import { begun, type Live, withItems } from './deployment.ts';
import { Store } from './store.ts';

export type Feeding = { readonly live: Live | null; readonly error: unknown };

const PAGE_OF_EVENTS = 5_000;
/** Ten pictures a second are as good as live, and leave nine of ten frames to whoever scrolls or types. */
const FRAME_MS = 100;

/** One deployment, from how it stands to its end, over as many connections as that takes. */
export class DeploymentFeed {
  readonly store = new Store<Feeding>({ live: null, error: null });
  readonly #deployment: DeploymentId;
  #arrived: WatchItem[] = [];

  constructor(deployment: DeploymentId) {
    this.#deployment = deployment;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      const live = await this.#begin(signal);
      this.store.set({ live, error: null });
      await this.#watch(live.view.overall.version, signal);
      this.#link({ kind: 'live' });
    } catch (error) {
      if (!signal.aborted) this.store.set({ ...this.store.get(), error });
    }
  }

  async #begin(signal: AbortSignal): Promise<Live> {
    const deployment = this.#deployment;
    const [{ deployment: row, view }, expected] = await Promise.all([
      edge.deployment({ deployment }, { signal }),
      this.#forecast(signal),
    ]);
    const events = await this.#eventsUpTo(view.overall.version, signal);
    return begun({ row, view, expected, events });
  }

  /** An extra: without it the deployment is shown all the same. */
  async #forecast(signal: AbortSignal): Promise<Expected | null> {
    try {
      return (await edge.deploymentForecast({ deployment: this.#deployment }, { signal })).forecast;
    } catch {
      return null;
    }
  }

  async #eventsUpTo(version: number, signal: AbortSignal): Promise<readonly StoredEventRow[]> {
    const all: StoredEventRow[] = [];
    while (all.length < version) {
      const limit = Math.min(PAGE_OF_EVENTS, version - all.length);
      const input = { deployment: this.#deployment, after: all.length, limit };
      const { events } = await edge.deploymentEvents(input, { signal });
      if (events.length === 0) throw new Error(`the record ends at ${all.length} of ${version} events`);
      all.push(...events);
    }
    return all;
  }

  async #watch(after: number, signal: AbortSignal): Promise<void> {
    const options = {
      signal,
      giveUpAfterMs: Number.POSITIVE_INFINITY,
      onBreak: ({ message }: Error) => this.#link({ kind: 'broken', why: message }),
      onOpen: () => this.#link({ kind: 'live' }),
    };
    for await (const item of edge.watchDeployment({ deployment: this.#deployment, after }, options))
      this.#arrive(item, signal);
    this.#flush();
  }

  /** What comes within that time is shown at once. */
  #arrive(item: WatchItem, signal: AbortSignal): void {
    this.#arrived.push(item);
    if (this.#arrived.length > 1) return;
    setTimeout(() => {
      if (!signal.aborted) this.#flush();
    }, FRAME_MS);
  }

  #flush(): void {
    const { live } = this.store.get();
    const items = this.#arrived;
    this.#arrived = [];
    if (!live || items.length === 0) return;
    try {
      this.store.set({ live: withItems(live, items), error: null });
    } catch (error) {
      this.store.set({ live, error });
    }
  }

  #link(link: Live['link']): void {
    const { live, error } = this.store.get();
    if (live) this.store.set({ live: { ...live, link }, error });
  }
}
