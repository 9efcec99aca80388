import type { BatchView } from '../../../src/api/contract.ts';
import { doneOf } from '../../../src/words/watched.ts';

const PARTS = [
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ['skipped', 'skipped'],
  ['active', 'running'],
] as const;

/** How many of the targets are where, as one bar. */
export function Meter({ counts }: { readonly counts: BatchView['counts'] }) {
  const total = Math.max(1, counts.total);
  const said = `${doneOf(counts)} of ${counts.total} targets have ended`;
  return (
    <span
      className="meter"
      role="progressbar"
      aria-label={said}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={doneOf(counts)}
    >
      {PARTS.map(([count, status]) => (
        <span key={count} className={`is-${status}`} style={{ width: `${(100 * counts[count]) / total}%` }} />
      ))}
    </span>
  );
}
