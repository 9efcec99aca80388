import { waitsFor } from '../domain/approval.ts';
import type { TaskRow } from '../ports/views.ts';
import type { DeploymentView, TargetView } from './deployment-view.ts';

/** What a deployment waits for at this moment, and until when. `target` null: the deployment as a whole. */
export type Wait = {
  readonly target: string | null;
  readonly step: string | null;
  readonly why: string;
  /** When it is looked at again or given up, ms since the epoch. */
  readonly until: number | null;
};

/** A task that no worker has taken for this long is worth a word (contract C14). */
const NO_WORKER_MS = 60_000;

export function waitsOf(view: DeploymentView, tasks: readonly TaskRow[], now: number): readonly Wait[] {
  const { paused, approvals, reason } = view.overall;
  const whole = { target: null, step: null };
  const ofAll = [
    ...(paused ? [{ ...whole, why: `paused: ${reason}`, until: paused.abortAt }] : []),
    ...(approvals?.waits
      ? [{ ...whole, why: waitsFor(approvals, approvals.given.length), until: approvals.abortAt }]
      : []),
  ];
  const byName = new Map(view.targets.map((target) => [target.name, target]));
  return [...ofAll, ...tasks.flatMap((task) => waitOf(task, byName.get(task.target), now))];
}

function waitOf(task: TaskRow, view: TargetView | undefined, now: number): readonly Wait[] {
  const { target, step, wakeAt } = task;
  switch (task.status) {
    case 'waiting':
      return [{ target, step, why: task.progress ?? view?.reason ?? 'looks again later', until: wakeAt }];
    case 'ready':
      if (wakeAt > now) return [{ target, step, why: view?.reason ?? 'is tried again later', until: wakeAt }];
      if (now - wakeAt < NO_WORKER_MS) return [];
      return [
        {
          target,
          step,
          why: `no worker of the pool "${task.pool}" that can do ${task.action} has taken it`,
          until: task.deadlineAt,
        },
      ];
    case 'claimed':
      return [];
    default:
      return task.status satisfies never;
  }
}

/** The view with what open tasks say of themselves. */
export function withProgress(view: DeploymentView, tasks: readonly TaskRow[]): DeploymentView {
  const open = new Map(tasks.map((task) => [task.target, task]));
  const targets = view.targets.map((target) => {
    const task = open.get(target.name);
    return task ? { ...target, progress: task.progress, worker: task.worker } : target;
  });
  return { ...view, targets };
}
