import type { BatchView, TargetView } from '../../api/contract.ts';
import type { Watched } from '../../words/watched.ts';

/**
 * A deployment that has ended, as people should read it: what was cut short is no longer at work, and what a rollback has
 * taken over is not left to be returned. One that goes on is shown as it is.
 */
export function settled(watched: Watched): Watched {
  const { view } = watched;
  if (view.overall.endedAt === null) return watched;
  const batches = view.batches.map((batch) => settledBatch(batch, view.overall.status));
  const targets = view.overall.rollback === null ? view.targets : view.targets.map(handedOver);
  return { ...watched, view: { ...view, batches, targets } };
}

function settledBatch(batch: BatchView, ended: BatchView['status']): BatchView {
  if (batch.status !== 'running') return batch;
  return { ...batch, status: batch.counts.failed > 0 ? 'failed' : ended };
}

const handedOver = (target: TargetView): TargetView =>
  target.parked ? { ...target, parked: false } : target;
