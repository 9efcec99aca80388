import type { BatchView, Overall } from '../../../src/api/contract.ts';
import type { Status } from '../../../src/domain/status.ts';

/** How a batch is shown: one that was open when its deployment ended has ended with it. */
export function batchStatus({ status, counts }: BatchView, { endedAt, status: whole }: Overall): Status {
  if (status !== 'running' || endedAt === null) return status;
  return counts.failed > 0 ? 'failed' : whole;
}
