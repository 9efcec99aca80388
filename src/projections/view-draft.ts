import type { Status } from '../domain/status.ts';
import type { BatchView, Counts, DeploymentView, Overall, Place, TargetView } from './deployment-view.ts';

/** What a lot of events made different, to be replaced by index or place. */
export type ViewChange = {
  readonly view: DeploymentView;
  readonly targets: readonly TargetView[];
  readonly batches: readonly BatchView[];
};

const batchKey = ({ stage, lane, batch }: Place) => `${stage}/${lane}/${batch}`;

/** A copy of a view that changes while one lot is applied, and remembers what it changed. Only `advanceView` has one. */
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

  target(index: number, change: (target: TargetView) => Partial<TargetView>): void {
    const before = this.#targets[index];
    if (!before) return;
    const after = { ...before, ...change(before) };
    this.#targets[index] = after;
    this.#changedTargets.add(index);
    if (bucketOf(after.status) === bucketOf(before.status)) return;
    const moved = (counts: Counts) => moveCount(counts, before.status, after.status);
    this.overall = { ...this.overall, counts: moved(this.overall.counts) };
    this.batch(after, ({ counts }) => ({ counts: moved(counts) }));
  }

  batch(place: Place, change: (batch: BatchView) => Partial<BatchView>): void {
    const key = batchKey(place);
    const before = this.#batches.get(key);
    if (!before) return;
    this.#batches.set(key, { ...before, ...change(before) });
    this.#changedBatches.add(key);
  }

  change(): ViewChange {
    const batches = [...this.#batches.values()];
    return {
      view: { ...this.#before, overall: this.overall, batches, targets: this.#targets },
      targets: [...this.#changedTargets].flatMap((index) => this.#targets[index] ?? []),
      batches: batches.filter((batch) => this.#changedBatches.has(batchKey(batch))),
    };
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
