import type { ReactNode } from 'react';
import { asEdgeError } from '../../../src/domain/errors.ts';

/** Something that is not there, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** What went wrong, and what to do: as the API says it. */
export function Fault({ error }: { readonly error: unknown }) {
  const { code, message, body } = asEdgeError(error);
  return (
    <div className="fault" role="alert">
      <p>
        <strong>{message}</strong> <code className="dim">{code}</code>
      </p>
      <p>{body.hint}</p>
    </div>
  );
}

/** Where something is about to be: its place is kept, and nothing spins. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <span key={n} />
      ))}
    </div>
  );
}
