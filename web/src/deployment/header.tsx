import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { waitsFor } from '../../../src/domain/approval.ts';
import { counted, duration, roughly, took, whatOf } from '../../../src/words/format.ts';
import { leftMs } from '../../../src/words/time-left.ts';
import type { Live } from '../live/deployment.ts';
import { Meter } from '../parts/meter.tsx';
import { StatusPill } from '../parts/signs.tsx';
import { Ago, exactTime, useNow } from '../parts/time.tsx';
import { Verbs } from './verbs.tsx';

/** What it is, how it stands and why, and what a person can do about it. */
export function Header({ live }: { readonly live: Live }) {
  const { row, view } = live;
  const { overall } = view;
  const now = useNow(1_000);
  return (
    <header className="head card">
      <div className="head-line">
        <h1>
          {row.project} <span className="dim">→</span> {row.environment} <strong>{whatOf(row)}</strong>
        </h1>
        <StatusPill status={overall.status} isLive={overall.status === 'running'} />
        <span className="head-time">{timesOf(live, now)}</span>
        <Verbs live={live} />
      </div>
      <Why live={live} />
      <div className="head-line">
        <Meter counts={overall.counts} />
        <span className="nowrap">{countsOf(live)}</span>
      </div>
      <p className="dim">
        <code>{row.id}</code> · by {row.by} <Ago at={row.createdAt} now={now} />
        <Related live={live} />
      </p>
    </header>
  );
}

function Why({ live }: { readonly live: Live }): ReactNode {
  const { approvals, paused, reason, notes, exceptions, status } = live.view.overall;
  if (approvals?.waits)
    return (
      <p className="why is-paused">
        {waitsFor(approvals, approvals.given.length)}
        {approvals.abortAt !== null && `; aborts by itself at ${exactTime(approvals.abortAt)}`}
      </p>
    );
  if (paused)
    return (
      <p className="why is-paused">
        Paused by {paused.by}: {reason}. It aborts by itself at {exactTime(paused.abortAt)} unless somebody
        decides.
      </p>
    );
  const parts = [reason, exceptions > 0 ? counted(exceptions, 'exception') : '', ...notes].filter(
    (part) => part !== '',
  );
  return parts.length > 0 && <p className={`why is-${status}`}>{parts.join('; ')}</p>;
}

function Related({ live }: { readonly live: Live }) {
  const { causedBy } = live.row;
  const { rollback, approvals } = live.view.overall;
  const approvers = approvals?.given.map(({ by }) => by) ?? [];
  return (
    <>
      {approvers.length > 0 && ` · approved by ${approvers.join(', ')}`}
      {approvals?.promoted && ` · promoted by ${approvals.promoted.by}: ${approvals.promoted.reason}`}
      {causedBy !== null && (
        <>
          {' '}
          · because of{' '}
          <Link to="/deployments/$deployment" params={{ deployment: causedBy }}>
            {causedBy}
          </Link>
        </>
      )}
      {rollback !== null && (
        <>
          {' '}
          · rolled back by{' '}
          <Link to="/deployments/$deployment" params={{ deployment: rollback }}>
            {rollback}
          </Link>
        </>
      )}
    </>
  );
}

function countsOf({ view: { overall } }: Live): string {
  const { total, succeeded, failed, skipped, active } = overall.counts;
  const parts = [
    `${succeeded} of ${counted(total, 'target')} done`,
    ...(active > 0 ? [`${active} at work`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return parts.join(' · ');
}

/** How long it has taken, and when it mostly has ended. */
function timesOf(live: Live, now: number): string {
  const { startedAt, endedAt, status } = live.view.overall;
  if (startedAt === null) return 'not started yet';
  if (endedAt !== null) return `in ${took(endedAt - startedAt)}`;
  const elapsed = duration(now - startedAt);
  const left = status === 'running' ? leftMs({ ...live, output: [], notice: null }, now) : null;
  return left ? `${elapsed} · ${roughly(left.p50Ms)} left` : elapsed;
}
