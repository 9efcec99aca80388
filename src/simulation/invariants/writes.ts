import { memberKey } from '../../domain/capacity.ts';
import type { TaskId, WorkerId } from '../../domain/ids.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact, Sender } from '../facts.ts';

type Claimed = Extract<Fact, { kind: 'claimed' }>;
type Written = Extract<Fact, { kind: 'member.written' }>;
/** Who has a task, and when the board last heard of it. */
type Held = { readonly worker: WorkerId; readonly attempt: number; readonly heardAtMs: number };
/** Owners of a task that went silent, and until when a write of theirs may arrive. */
type Silent = { readonly owners: Set<WorkerId>; untilMs: number };

/** The lease, and after it the deadline of a call and a pause of the process that made it (M6). */
const SILENT_MS = 75_000;

/**
 * I4: a balancer cannot refuse the write of an earlier owner, so that nobody writes for a task before the time is over in which
 * one of an owner that went silent may arrive; and none arrives after what a later owner wrote.
 */
export const writes: MakeInvariant = (eyes) => {
  const held = new Map<TaskId, Held>();
  const silent = new Map<TaskId, Silent>();
  const last = new Map<string, Sender>();
  const heard = (task: TaskId, claim: Omit<Held, 'heardAtMs'>) =>
    held.set(task, { ...claim, heardAtMs: eyes.schedule.nowMs });
  return {
    see: (fact) => {
      switch (fact.kind) {
        case 'claimed':
          noteSilent(fact, held, silent);
          for (const { task, attempt } of fact.tasks) heard(task, { worker: fact.request.worker, attempt });
          return;
        case 'renewed':
          for (const task of fact.tasks) {
            const claim = held.get(task);
            if (claim) heard(task, claim);
          }
          return;
        case 'committed':
          for (const { task } of fact.commit.rearm) held.delete(task);
          return;
        case 'member.written':
          // A keeper and a drain that runs anew may both write: both only take out.
          if (fact.to === 'out' && eyes.isKept(fact.member)) return;
          checkSilent(eyes, silent, fact);
          checkOrder(eyes, last, fact);
          return;
        default:
      }
    },
  };
};

/** To go on after a wait is the same attempt: one more without a report between was taken from who had it. */
function noteSilent(
  { request, tasks }: Claimed,
  held: ReadonlyMap<TaskId, Held>,
  silent: Map<TaskId, Silent>,
): void {
  for (const { task, action, attempt } of tasks) {
    const before = held.get(task);
    if (!action.startsWith('balancer.') || !before || before.attempt === attempt) continue;
    if (before.worker === request.worker || request.gone.includes(before.worker)) continue;
    const known = silent.get(task) ?? { owners: new Set(), untilMs: 0 };
    known.owners.add(before.worker);
    known.untilMs = Math.max(known.untilMs, before.heardAtMs + SILENT_MS);
    silent.set(task, known);
  }
}

function checkSilent(
  { activeOf, schedule, checked, violate }: Eyes,
  silent: ReadonlyMap<TaskId, Silent>,
  { target, sender }: Written,
): void {
  for (const task of activeOf(target)?.tasks.get(target) ?? []) {
    const { owners, untilMs } = silent.get(task) ?? { owners: new Set(), untilMs: 0 };
    if (owners.size === 0 || [...owners].some((worker) => isOf(worker, sender))) continue;
    checked('I4');
    if (schedule.nowMs < untilMs)
      violate('I4', `${sender.process} writes for ${task} while ${[...owners].join(', ')} may still write`);
  }
}

/** A worker lives in a process of its own name, or in that of a server. */
const isOf = (worker: WorkerId, { process }: Sender): boolean =>
  worker === process || worker.startsWith(`${process}/`);

function checkOrder(
  { checked, violate }: Eyes,
  written: Map<string, Sender>,
  { target, member, sender }: Written,
): void {
  const key = memberKey(member);
  const last = written.get(key);
  checked('I4');
  if (last && last.process !== sender.process && last.sentAtMs > sender.sentAtMs)
    violate(
      'I4',
      `a write of ${sender.process} to ${target} arrives after one of ${last.process}, which went on`,
    );
  written.set(key, sender);
}
