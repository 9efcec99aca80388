import type { Status } from '../domain/status.ts';
import type { BatchView, Counts, DeploymentView, Overall, Place, TargetView } from './deployment-view.ts';

/** What events made different, to be replaced by index or place. */
export type Changed = {
  readonly overall: Overall;
  readonly targets: readonly TargetView[];
  readonly batches: readonly BatchView[];
};

const batchKey = ({ stage, lane, batch }: Place) => `${stage}/${lane}/${batch}`;

/** A copy of a view that changes with events, and remembers what it changed. Who has one shows it to nobody. */
export class Draft {
  overall: Overall;
  readonly #before: DeploymentView;
  readonly #targets: TargetView[];
  readonly #batches: Map<string, BatchView>;
  readonly #changedTargets = new Set<number>();
  readonly #changedBatches = new Set<string>();

  constructor(before: DeploymentView) {
    this.#before = before;
    this.overall = before.overall;
    this.#targets = [...before.targets];
    this.#batches = new Map(before.batches.map((batch) => [batchKey(batch), batch]));
  }

  stepId(index: number, step: number): string | null {
    const target = this.#targets[index];
    const sequence = target && this.#batches.get(batchKey(target))?.sequence;
    return sequence === undefined ? null : (this.#before.sequences[sequence]?.[step] ?? null);
  }

  /** Whether a step of this place prepares the target only. */
  isAhead(index: number, step: number): boolean {
    const target = this.#targets[index];
    const sequence = target && this.#batches.get(batchKey(target))?.sequence;
    return sequence !== undefined && step < (this.#before.ahead[sequence] ?? 0);
  }

  /** Whether the turn of the target's batch has come. */
  isInTurn(index: number): boolean {
    const target = this.#targets[index];
    return target !== undefined && this.#batches.get(batchKey(target))?.status === 'running';
  }

  target(index: number, change: (target: TargetView) => Partial<TargetView>): void {
    const before = this.#targets[index];
    if (!before) return;
    const after = { ...before, ...change(before) };
    this.#targets[index] = after;
    this.#changedTargets.add(index);
    if (bucketOf(after.status) === bucketOf(before.status)) return;
    const moved = (counts: Counts) => moveCount(counts, before.status, after.status);
    if (!before.hook) this.overall = { ...this.overall, counts: moved(this.overall.counts) };
    this.batch(after, ({ counts }) => ({ counts: moved(counts) }));
  }

  batch(place: Place, change: (batch: BatchView) => Partial<BatchView>): void {
    const key = batchKey(place);
    const before = this.#batches.get(key);
    if (!before) return;
    this.#batches.set(key, { ...before, ...change(before) });
    this.#changedBatches.add(key);
  }

  /** As it is now; the draft must not change any more. */
  view(): DeploymentView {
    const batches = [...this.#batches.values()];
    return { ...this.#before, overall: this.overall, batches, targets: this.#targets };
  }

  /** What has changed since it was asked last. */
  takeChanges(): Changed {
    const changed = {
      overall: this.overall,
      targets: [...this.#changedTargets].flatMap((index) => this.#targets[index] ?? []),
      batches: [...this.#changedBatches].flatMap((key) => this.#batches.get(key) ?? []),
    };
    this.#changedTargets.clear();
    this.#changedBatches.clear();
    return changed;
  }
}

type Bucket = Exclude<keyof Counts, 'total'>;

function bucketOf(status: Status): Bucket | null {
  switch (status) {
    case 'pending':
      return null;
    case 'running':
    case 'paused':
      return 'active';
    case 'succeeded':
    case 'skipped':
      return status;
    case 'failed':
    case 'unknown':
    case 'aborted':
      return 'failed';
    default:
      return status satisfies never;
  }
}

function moveCount(counts: Counts, from: Status, to: Status): Counts {
  const [left, entered] = [bucketOf(from), bucketOf(to)];
  return {
    ...counts,
    ...(left && { [left]: counts[left] - 1 }),
    ...(entered && { [entered]: counts[entered] + 1 }),
  };
}
