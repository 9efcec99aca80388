import type { DeploymentRow, DeploymentView, StoredEventRow, WatchItem } from '../../../src/api/contract.ts';
import { advanceView, type Expected } from '../../../src/words/watched.ts';
import { Lanes } from './lanes.ts';
import type { Link } from './link.ts';

/** All that the page of one deployment is drawn from. */
export type Live = {
  readonly row: DeploymentRow;
  readonly view: DeploymentView;
  /** Every event from the first on, in order. */
  readonly events: readonly StoredEventRow[];
  /** Grows in place: `events` tells whether it did. */
  readonly lanes: Lanes;
  readonly expected: Expected | null;
  readonly link: Link;
};

export type Begun = Pick<Live, 'row' | 'view' | 'expected'> & { readonly events: readonly StoredEventRow[] };

/** How it stood when the page was opened. */
export function begun({ events, ...rest }: Begun): Live {
  const lanes = new Lanes();
  for (const event of events) lanes.add(event);
  return { ...rest, events, lanes, link: { kind: 'opening' } };
}

/**
 * After more items of its stream. An event that is known is left out, and one that is not the next throws: what the page shows has no gap,
 * or says that it cannot be shown.
 */
export function withItems(live: Live, items: readonly WatchItem[]): Live {
  const events = [...live.events];
  const news = items.filter((item) => {
    if (item.kind === 'progress') return true;
    const { deployment, version, at, event } = item;
    if (version <= events.length) return false;
    if (version !== events.length + 1)
      throw new Error(`the event ${events.length + 1} is missing before ${version}`);
    events.push({ deployment, version, at, event });
    live.lanes.add(item);
    return true;
  });
  return { ...live, view: advanceView(live.view, news), events };
}
