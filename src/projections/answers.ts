import type { Event } from '../domain/event.ts';
import { parseTaskId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import type { Status } from '../domain/status.ts';
import { sha256InPieces } from '../lib/hash.ts';
import type { OutputRow } from '../ports/views.ts';

/** What a command on targets has given, by equal answers. */
export type Answer = {
  readonly status: Status;
  /** `null` where nobody saw the command end. */
  readonly exitStatus: number | null;
  /** Why it did not run, or was not seen to its end; else empty. */
  readonly reason: string;
  /** What it wrote, as it came; `cut`: more than is kept here. */
  readonly output: string;
  readonly outputLength: number;
  readonly cut: boolean;
  readonly targets: readonly string[];
};

export type AnswerLimits = {
  /** Characters of one output that are shown, and of all that are kept while they are compared. */
  readonly shown: number;
  readonly kept: number;
};

type Ending = Pick<Answer, 'status' | 'exitStatus' | 'reason'>;
type Wrote = {
  readonly hash: ReturnType<typeof sha256InPieces>;
  length: number;
  /** The beginning; nothing where too much is kept already. */
  text: string;
};

/**
 * Groups what targets answered: equal means the same status, exit status and output to the last byte. What is kept of outputs meanwhile is
 * bounded, so that of the later ones only the length may be told.
 */
export class Answers {
  readonly #plan: Plan;
  readonly #limits: AnswerLimits;
  readonly #endings = new Map<string, Ending>();
  readonly #groups = new Map<string, number>();
  readonly #wrote = new Map<string, Wrote>();
  #kept = 0;

  constructor(plan: Plan, limits: AnswerLimits) {
    this.#plan = plan;
    this.#limits = limits;
  }

  addEvent(event: Event): void {
    const name = 'target' in event ? this.#plan.targets[event.target]?.name : undefined;
    if (name === undefined) return;
    if (event.kind === 'target.retried') this.#groups.set(name, event.group);
    const ending = endingOf(event, this.#endings.get(name));
    if (ending) this.#endings.set(name, ending);
  }

  /** After all events; pieces of one target come in order. What was written before its last retry is no part of the answer. */
  addOutput({ target, task, text }: Pick<OutputRow, 'target' | 'task' | 'text'>): void {
    if (parseTaskId(task).group !== (this.#groups.get(target) ?? 0)) return;
    const wrote = this.#wrote.get(target) ?? { hash: sha256InPieces(), length: 0, text: '' };
    this.#wrote.set(target, wrote);
    wrote.hash.add(text);
    wrote.length += text.length;
    const room = Math.min(this.#limits.shown - wrote.text.length, this.#limits.kept - this.#kept);
    if (room <= 0) return;
    const part = text.slice(0, room);
    wrote.text += part;
    this.#kept += part.length;
  }

  /** Those of most targets first; targets in the order of the plan. */
  grouped(): readonly Answer[] {
    const groups = new Map<string, Omit<Answer, 'targets'> & { readonly targets: string[] }>();
    for (const { name } of this.#plan.targets) {
      const ending = this.#endings.get(name) ?? NOTHING_YET;
      const wrote = this.#wrote.get(name);
      const key = JSON.stringify([ending, wrote?.hash.end() ?? '']);
      const found = groups.get(key);
      if (found) found.targets.push(name);
      else groups.set(key, { ...ending, ...outputOf(wrote), targets: [name] });
    }
    return [...groups.values()].toSorted((a, b) => b.targets.length - a.targets.length);
  }
}

const NOTHING_YET: Ending = { status: 'pending', exitStatus: null, reason: '' };

const outputOf = (wrote: Wrote | undefined) => ({
  output: wrote?.text ?? '',
  outputLength: wrote?.length ?? 0,
  cut: (wrote?.length ?? 0) > (wrote?.text.length ?? 0),
});

/** The end of the step says how the command ended, and that of the target how it counts. */
function endingOf(event: Event, before: Ending = NOTHING_YET): Ending | undefined {
  switch (event.kind) {
    case 'task.succeeded':
      return { status: 'succeeded', exitStatus: 0, reason: '' };
    case 'task.failed': {
      const { exitStatus = null, message } = event.error;
      return { status: 'failed', exitStatus, reason: exitStatus === null ? message : '' };
    }
    case 'task.unknown':
      return { status: 'unknown', exitStatus: null, reason: event.seen };
    case 'target.failed':
      return { ...before, status: event.status, reason: before.exitStatus === null ? event.reason : '' };
    case 'target.skipped':
      return { status: 'skipped', exitStatus: null, reason: event.reason };
    case 'target.retried':
      return NOTHING_YET;
    default:
      return undefined;
  }
}
