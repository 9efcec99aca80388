import type { BatchView, DeploymentRow, DeploymentView, TargetView } from '../../src/api/contract.ts';
import { deploymentId, planHash, releaseId } from '../../src/domain/ids.ts';
import { STATUSES, type Status } from '../../src/domain/status.ts';
import type { Watched } from '../../src/words/watched.ts';

/** A deployment as people see it, made by hand: batches as texts with one letter for each target. */

export const STARTED = Date.UTC(2026, 2, 1, 12, 0, 0);

const LETTERS: Readonly<Record<string, Status>> = {
  '.': 'pending',
  '>': 'running',
  '+': 'succeeded',
  x: 'failed',
  '-': 'skipped',
  a: 'aborted',
  '?': 'unknown',
};

export type SampleBatch = {
  readonly name: string;
  /** One letter for each target: `. > + x - a ?`. */
  readonly targets: string;
  readonly zone?: string;
  readonly stage?: number;
  readonly stageName?: string;
};

export type SampleView = {
  readonly batches: readonly SampleBatch[];
  readonly targets?: Readonly<Record<number, Partial<TargetView>>>;
  readonly overall?: Partial<DeploymentView['overall']>;
  readonly row?: Partial<DeploymentRow>;
};

export function sampleView({ batches, targets = {}, overall = {} }: SampleView): DeploymentView {
  const placed = batches.map((batch, index) => ({ ...batch, index }));
  const members = placed.flatMap((batch) => [...batch.targets].map((letter) => ({ batch, letter })));
  const views = members.map(({ batch, letter }, index) => ({
    ...targetOf(batch, letter, index),
    ...targets[index],
  }));
  return {
    overall: {
      ...{ status: 'running', reason: '', counts: countsOf(views), stage: 0, paused: null, stopping: null },
      approvals: null,
      ...{ startedAt: STARTED, endedAt: null, rollback: null, exceptions: 0, notes: [], version: 7 },
      ...overall,
    },
    batches: placed.map((batch) => batchOf(batch, views)),
    targets: views,
    sequences: { main: ['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable', 'settle'] },
    ahead: { main: 0 },
  };
}

type Placed = SampleBatch & { readonly index: number };

function targetOf(
  { stage = 0, zone = 'east', index: batch }: Placed,
  letter: string,
  index: number,
): TargetView {
  const status = LETTERS[letter] ?? 'pending';
  return {
    ...{ index, name: `web-${String(index).padStart(2, '0')}`, zone, stage, lane: 0, batch, status },
    ...{
      step: null,
      attempt: 0,
      group: 0,
      since: null,
      reason: null,
      parked: false,
      ahead: false,
      hook: false,
      progress: null,
    },
    ...{ worker: null, mayRun: false, byHand: null },
    ...(status === 'running' && { step: 'drain', attempt: 1, since: STARTED + 60_000 }),
  };
}

function batchOf(placed: Placed, targets: readonly TargetView[]): BatchView {
  const { stage = 0, name, zone = 'east', stageName = 'all', index: batch } = placed;
  const members = targets.filter((target) => target.batch === batch);
  const facts = { status: batchStatus(members), counts: countsOf(members) };
  return { stage, lane: 0, batch, stageName, zone, name, sequence: 'main', ...facts };
}

function countsOf(targets: readonly TargetView[]): BatchView['counts'] {
  const count = (...statuses: readonly Status[]) =>
    targets.filter(({ status }) => statuses.includes(status)).length;
  return {
    total: targets.length,
    succeeded: count('succeeded'),
    failed: count('failed', 'unknown', 'aborted'),
    skipped: count('skipped'),
    active: count('running', 'paused'),
  };
}

function batchStatus(targets: readonly TargetView[]): Status {
  const found = new Set(targets.map(({ status }) => status));
  if (found.has('running')) return 'running';
  if (found.has('pending')) return found.size === 1 ? 'pending' : 'running';
  return STATUSES.find((status) => status === 'failed' && found.has(status)) ?? 'succeeded';
}

export function sampleRow(more: Partial<DeploymentRow> = {}): DeploymentRow {
  return {
    ...{ id: deploymentId('d-17'), project: 'shop', environment: 'prod', verb: 'deploy', hard: false },
    ...{ release: releaseId('2.0.0-bbbbbbbb'), version: '2.0.0', status: 'running', reason: '' },
    counts: { total: 0, succeeded: 0, failed: 0, skipped: 0, active: 0 },
    ...{ exceptions: 0, ended: false, planHash: planHash('a'.repeat(64)), by: 'ann', causedBy: null },
    ...{ createdAt: STARTED - 1_000, startedAt: STARTED, endedAt: null, streamVersion: 7 },
    ...more,
  };
}

export function sampleWatched(options: SampleView): Watched {
  return {
    row: sampleRow(options.row),
    view: sampleView(options),
    expected: null,
    output: [],
    notice: null,
  };
}
