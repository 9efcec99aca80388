import type { BatchView, DeploymentRow, DeploymentView, TargetView, WatchItem } from '../api/contract.ts';

/** All that the screen of one deployment is made from. Texts in it are inert already (`inert-client.ts`). */
export type Watched = {
  readonly row: DeploymentRow;
  readonly view: DeploymentView;
  /** `null` when it is not known. */
  readonly expected: Expected | null;
  /** The newest lines of output, oldest first. */
  readonly output: readonly OutputLine[];
  /** What happens at this end: the connection is broken, Ctrl-C was pressed. */
  readonly notice: string | null;
};

/** How long it takes from its start: mostly no longer than the first, and seldom longer than the second. */
export type Expected = { readonly p50Ms: number; readonly p90Ms: number };

export type OutputLine = { readonly target: string; readonly step: string; readonly text: string };

const KEPT_LINES = 50;

/** After more items of the stream, in order: one copy for the whole lot. */
export function advanceView(view: DeploymentView, items: readonly WatchItem[]): DeploymentView {
  const targets = [...view.targets];
  const batches = new Map(view.batches.map((batch) => [placeOf(batch), batch]));
  let overall = view.overall;
  for (const item of items) {
    if (item.kind === 'progress') putProgress(targets, item.targets);
    else {
      overall = item.overall;
      for (const target of item.targets) targets[target.index] = target;
      for (const batch of item.batches) batches.set(placeOf(batch), batch);
    }
  }
  return { ...view, overall, targets, batches: [...batches.values()] };
}

type Progress = Extract<WatchItem, { kind: 'progress' }>['targets'];

function putProgress(targets: TargetView[], changes: Progress): void {
  for (const { index, progress, worker } of changes) {
    const target = targets[index];
    if (target) targets[index] = { ...target, progress, worker };
  }
}

/** With more lines of output; only the newest are kept. */
export function withOutput(watched: Watched, lines: readonly OutputLine[]): Watched {
  return { ...watched, output: [...watched.output, ...lines].slice(-KEPT_LINES) };
}

export const placeOf = ({ stage, lane, batch }: Pick<BatchView, 'stage' | 'lane' | 'batch'>): string =>
  `${stage}/${lane}/${batch}`;

/** Targets that have come to an end, however. */
export function doneOf({ succeeded, failed, skipped }: BatchView['counts']): number {
  return succeeded + failed + skipped;
}

/** It is paused, and nothing of it is being worked on: no hook either, which no count has. */
export const isAtRest = ({ view: { overall, targets } }: Watched): boolean =>
  overall.status === 'paused' &&
  overall.counts.active === 0 &&
  !targets.some(({ hook, status }) => hook && status === 'running');
