import type { ReactNode } from 'react';
import type { Status } from '../../../src/domain/status.ts';

/** Each status as a shape and a word: without any colour they differ (GLOSSARY.md has the words). */
export type SignName = Status | 'parked';

/** Drawn in a box of 16 by 16. */
const SHAPES: Readonly<Record<SignName, ReactNode>> = {
  pending: <circle cx="8" cy="8" r="2" className="fill" />,
  running: <path d="M5.5 3.5v9l7-4.5z" className="fill" />,
  paused: <path d="M5.5 4v8M10.5 4v8" />,
  succeeded: <path d="M3.5 8.5l3 3 6-7" />,
  failed: <path d="M4 4l8 8M12 4l-8 8" />,
  skipped: <path d="M3.5 8h9" />,
  aborted: <rect x="4" y="4" width="8" height="8" className="fill" />,
  unknown: (
    <>
      <path d="M5.5 6a2.6 2.6 0 1 1 3.6 2.4c-.8.4-1.1.8-1.1 1.6" />
      <circle cx="8" cy="12.7" r="0.6" className="fill" />
    </>
  ),
  parked: <path d="M6 13V3.5h3a2.6 2.6 0 0 1 0 5.2H6" />,
};

/** The shape alone, for pictures that say the word beside it. */
export const signShape = (name: SignName): ReactNode => SHAPES[name];

export function Sign({ name }: { readonly name: SignName }) {
  return (
    <svg className={`sign is-${name}`} viewBox="0 0 16 16" aria-hidden="true">
      {SHAPES[name]}
    </svg>
  );
}

export function StatusPill({
  status,
  isLive = false,
}: {
  readonly status: SignName;
  readonly isLive?: boolean;
}) {
  return (
    <span className={`pill is-${status}`}>
      <span className={isLive ? 'is-live' : undefined}>
        <Sign name={status} />
      </span>
      {status}
    </span>
  );
}
