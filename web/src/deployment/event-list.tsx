import { memo, useState } from 'react';
import type { DeploymentView, StoredEventRow } from '../../../src/api/contract.ts';
import { eventWords } from '../../../src/words/event-line.ts';
import { counted } from '../../../src/words/format.ts';
import type { Live } from '../live/deployment.ts';
import { TimeOfDay } from '../parts/time.tsx';

const NEWEST = 200;

/** The record of the deployment, newest first. */
export function EventList({ live }: { readonly live: Live }) {
  const { events } = live;
  const [isWhole, setWhole] = useState(false);
  const shown = (isWhole ? events : events.slice(-NEWEST)).toReversed();
  return (
    <section className="card events" aria-labelledby="events-title">
      <div className="head-line">
        <h2 id="events-title">Events</h2>
        <span className="dim">{events.length}</span>
        {events.length > NEWEST && (
          <button type="button" className="quiet" onClick={() => setWhole(!isWhole)}>
            {isWhole ? `Only the newest ${NEWEST}` : `Show all ${counted(events.length, 'event')}`}
          </button>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by keyboard too */}
      <ol className={isWhole ? 'is-whole' : undefined} tabIndex={0} aria-label="Events, newest first">
        {shown.map((event) => (
          <Line key={event.version} event={event} live={live} />
        ))}
      </ol>
    </section>
  );
}

/** An event never changes: it is worded once, with the names that the plan gives. */
const Line = memo(
  function Line({ event, live }: { readonly event: StoredEventRow; readonly live: Live }) {
    const { view, lanes } = live;
    const begunAt = 'target' in event.event ? lanes.begunAt(event.event.target, event.at) : undefined;
    const told = eventWords({ ...event, begunAt }, view) ?? undefined;
    return (
      <li
        className={told === undefined ? 'dim' : undefined}
        data-version={event.version}
        data-kind={event.event.kind}
      >
        <TimeOfDay at={event.at} />
        <span>{told ?? quietly(event, view)}</span>
      </li>
    );
  },
  (a, b) => a.event === b.event,
);

/** What a log of the command line leaves out, and a record does not. */
function quietly({ event }: StoredEventRow, { targets }: DeploymentView): string {
  const name = (index: number): string => targets[index]?.name ?? `target ${index}`;
  switch (event.kind) {
    case 'tasks.granted':
      return `granted: ${event.targets.length > 3 ? counted(event.targets.length, 'target') : event.targets.map(name).join(', ')}`;
    case 'capacity.taken':
      return `${name(event.target)} taken out of service`;
    case 'capacity.given':
      return `${name(event.target)} back in service`;
    default:
      return event.kind;
  }
}
