import type { BatchView } from '../api/contract.ts';

/** The name of a batch, with stage and zone where there are several. */
export function labelOf(batches: readonly BatchView[], batch: BatchView | undefined): string {
  if (!batch) return '';
  const first = batches[0];
  const stages = batches.some(({ stage }) => stage !== first?.stage);
  const zones = batches.some(({ zone }) => zone !== first?.zone);
  const parts = [...(stages ? [batch.stageName] : []), ...(zones ? [batch.zone] : []), batch.name];
  return [...new Set(parts)].join(' ');
}
