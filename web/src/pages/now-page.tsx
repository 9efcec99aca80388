import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { DeploymentRow, ProjectEnvironmentStatus } from '../../../src/api/contract.ts';
import { waitsFor } from '../../../src/domain/approval.ts';
import { counted, took, whatOf } from '../../../src/words/format.ts';
import { doneOf } from '../../../src/words/watched.ts';
import { edge } from '../client.ts';
import { Meter } from '../parts/meter.tsx';
import { Empty, Fault, Skeleton } from '../parts/notes.tsx';
import { ParkedList } from '../parts/parked-list.tsx';
import { StatusPill } from '../parts/signs.tsx';
import { Ago, useNow } from '../parts/time.tsx';
import { useTitle } from '../parts/title.ts';
import { useOverview } from '../shell.tsx';
import { useStatus } from '../status.ts';

const ENDED_SHOWN = 12;

/** What is going on, and what of it needs a person. */
export function NowPage() {
  useTitle('Now');
  const { deployments, isKnown } = useOverview();
  const status = useStatus();
  const now = useNow(1_000);
  const active = deployments.filter(({ ended }) => !ended);
  const ended = deployments.filter(({ ended: isOver }) => isOver).slice(0, ENDED_SHOWN);
  if (!isKnown)
    return (
      <div className="page">
        <h1>Now</h1>
        <Skeleton lines={6} />
      </div>
    );
  return (
    <div className="page">
      <h1>Now</h1>
      {status.error && <Fault error={status.error} />}
      <Section title="Under way" count={active.length}>
        {active.length === 0 && <NothingActive places={status.data} />}
        <ul className="rows">
          {active.map((row) => (
            <ActiveRow key={row.id} row={row} now={now} />
          ))}
        </ul>
      </Section>
      <ParkedList places={status.data ?? []} />
      <Section title="Just ended" count={ended.length}>
        {ended.length === 0 && <Empty title="Nothing has been deployed yet" />}
        <ul className="rows">
          {ended.map((row) => (
            <EndedRow key={row.id} row={row} now={now} />
          ))}
        </ul>
      </Section>
    </div>
  );
}

function NothingActive({ places }: { readonly places: readonly ProjectEnvironmentStatus[] | undefined }) {
  const place = places?.[0];
  if (places && !place)
    return (
      <Empty title="Edge does not know of any project yet">
        <p>
          <code>edge init shop-config</code> writes a commented sample, <code>edge apply -f shop-config</code>{' '}
          tells Edge of it.
        </p>
      </Empty>
    );
  return (
    <Empty title="Nothing is under way">
      <p>
        {place && (
          <>
            Start something with{' '}
            <code>
              edge deploy {place.project} {place.environment} &lt;version&gt;
            </code>
            ; it is shown here at once.
          </>
        )}
      </p>
    </Empty>
  );
}

function Section(props: { readonly title: string; readonly count: number; readonly children: ReactNode }) {
  return (
    <section className="section">
      <h2>
        {props.title} {props.count > 0 && <span className="count">{props.count}</span>}
      </h2>
      {props.children}
    </section>
  );
}

type RowProps = { readonly row: DeploymentRow; readonly now: number };

function Where({ row }: { readonly row: DeploymentRow }) {
  return (
    <Link to="/deployments/$deployment" params={{ deployment: row.id }} className="where">
      {row.project} <span className="dim">→</span> {row.environment} <strong>{whatOf(row)}</strong>
    </Link>
  );
}

function ActiveRow({ row, now }: RowProps) {
  const { data } = useQuery({
    queryKey: ['deployment', row.id, row.streamVersion],
    queryFn: () => edge.deployment({ deployment: row.id }),
    placeholderData: (before) => before,
  });
  const approvals = data?.view.overall.approvals;
  const needs = approvals?.waits
    ? 'approval'
    : data?.view.overall.paused && data.view.overall.paused.cause !== 'operator'
      ? 'a decision'
      : null;
  const why = row.reason || data?.waits[0]?.why || '';
  return (
    <li className="row">
      <StatusPill status={row.status} isLive={row.status === 'running'} />
      <div className="row-main">
        <p>
          <Where row={row} />
        </p>
        <p className="dim">
          {approvals?.waits ? waitsFor(approvals, approvals.given.length) : why || doing(row)}
        </p>
      </div>
      {needs && <span className="needs">needs {needs}</span>}
      <span className="progress">
        <Meter counts={row.counts} />
        {doneOf(row.counts)}/{row.counts.total}
      </span>
      <span className="dim nowrap">
        by {row.by} · <Ago at={row.createdAt} now={now} />
      </span>
    </li>
  );
}

const doing = ({ counts }: DeploymentRow): string =>
  counts.active > 0 ? `${counted(counts.active, 'target')} at work` : 'begins';

function EndedRow({ row, now }: RowProps) {
  const time =
    row.startedAt !== null && row.endedAt !== null ? ` in ${took(row.endedAt - row.startedAt)}` : '';
  const said = [row.reason, row.exceptions > 0 ? counted(row.exceptions, 'exception') : ''].filter(Boolean);
  return (
    <li className="row">
      <StatusPill status={row.status} />
      <div className="row-main">
        <p>
          <Where row={row} />
        </p>
        {said.length > 0 && <p className="dim clip">{said.join('; ')}</p>}
      </div>
      <span className="dim nowrap">
        {counted(row.counts.total, 'target')}
        {time}
      </span>
      <span className="dim nowrap">
        by {row.by} · <Ago at={row.endedAt ?? row.createdAt} now={now} />
      </span>
    </li>
  );
}
