import { useEffect, useMemo, useState } from 'react';
import type { DeploymentId } from '../../../src/domain/ids.ts';
import { whatOf } from '../../../src/words/format.ts';
import { EventList } from '../deployment/event-list.tsx';
import { Header } from '../deployment/header.tsx';
import { LogTail } from '../deployment/log-tail.tsx';
import { Steps } from '../deployment/steps.tsx';
import { TargetPanel } from '../deployment/target-panel.tsx';
import { Targets } from '../deployment/targets.tsx';
import { Timeline } from '../deployment/timeline.tsx';
import type { Live } from '../live/deployment.ts';
import { DeploymentFeed } from '../live/deployment-feed.ts';
import { useStore } from '../live/store.ts';
import { LinkNote } from '../parts/link-note.tsx';
import { Empty, Fault, Skeleton } from '../parts/notes.tsx';
import { useTitle } from '../parts/title.ts';
import { useMay } from '../session.tsx';

/** One deployment as it happens. */
export function DeploymentPage({ id }: { readonly id: string }) {
  // The address is text; the API says whether it names a deployment.
  const feed = useMemo(() => new DeploymentFeed(id as DeploymentId), [id]);
  const { live, error } = useStore(feed.store);
  useEffect(() => {
    const stop = new AbortController();
    void feed.run(stop.signal);
    return () => stop.abort();
  }, [feed]);
  if (!live)
    return (
      <div className="page">
        <h1>
          Deployment <code>{id}</code>
        </h1>
        {error === null ? <Skeleton lines={10} /> : <Fault error={error} />}
      </div>
    );
  return (
    <div className="page">
      {error !== null && <Fault error={error} />}
      <Watched live={live} />
    </div>
  );
}

function Watched({ live }: { readonly live: Live }) {
  const { row, view } = live;
  useTitle(`${view.overall.status}: ${row.project} → ${row.environment} ${whatOf(row)}`);
  const may = useMay();
  const [chosen, setChosen] = useState<number | null>(null);
  const target = chosen === null ? undefined : view.targets[chosen];
  return (
    <>
      <Header live={live} />
      {live.link.kind === 'broken' && <LinkNote link={live.link} />}
      <div className="columns">
        <div className="column">
          <Targets view={view} chosen={chosen} onChoose={setChosen} />
          {target && <TargetPanel live={live} target={target} onClose={() => setChosen(null)} />}
          <Timeline live={live} />
          <Steps live={live} chosen={chosen} onChoose={setChosen} />
        </div>
        <div className="column">
          {may('logs.read') ? (
            <LogTail
              deployment={row.id}
              targets={view.targets}
              target={target?.name ?? null}
              onTarget={(name) => setChosen(view.targets.find((one) => one.name === name)?.index ?? null)}
            />
          ) : (
            <Empty title="Your token may not read logs" />
          )}
          <EventList live={live} />
        </div>
      </div>
    </>
  );
}
