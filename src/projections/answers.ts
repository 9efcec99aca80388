import type { Event } from '../domain/event.ts';
import { parseTaskId } from '../domain/ids.ts';
import type { Status } from '../domain/status.ts';
import { sha256InPieces } from '../lib/hash.ts';
import type { OutputRow } from '../ports/views.ts';
import type { TargetView } from './deployment-view.ts';

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

/** Characters of one output that are shown, of all that are kept while they are compared, and of all that are read. */
export type AnswerLimits = { readonly shown: number; readonly kept: number; readonly read: number };

type Wrote = {
  readonly hash: ReturnType<typeof sha256InPieces>;
  length: number;
  /** The beginning; nothing where too much is kept already. */
  text: string;
};

/**
 * Groups what targets answered: equal means the same status, exit status and output to the last byte. What is kept of outputs meanwhile is
 * bounded, so that of the later ones only the length may be told; and so is what is read, beyond which no two are called equal.
 */
export class Answers {
  readonly #limits: AnswerLimits;
  /** By index of the target. */
  readonly #exits = new Map<number, number | null>();
  readonly #groups = new Map<number, number>();
  readonly #wrote = new Map<number, Wrote>();
  #kept = 0;
  #read = 0;

  constructor(limits: AnswerLimits) {
    this.#limits = limits;
  }

  get hasReadAll(): boolean {
    return this.#read >= this.#limits.read;
  }

  addEvent(event: Event): void {
    switch (event.kind) {
      case 'task.succeeded':
        this.#exits.set(event.target, 0);
        return;
      case 'task.failed':
        this.#exits.set(event.target, event.error.exitStatus ?? null);
        return;
      case 'task.unknown':
      case 'task.resolved':
        this.#exits.set(event.target, null);
        return;
      case 'target.retried':
        this.#exits.delete(event.target);
        this.#groups.set(event.target, event.group);
        return;
      default:
    }
  }

  /** After all events; pieces of one target come in order. What was written before its last retry is no part of the answer. */
  addOutput({ task, text }: Pick<OutputRow, 'task' | 'text'>): void {
    const { target, group } = parseTaskId(task);
    this.#read += text.length;
    if (group !== (this.#groups.get(target) ?? 0)) return;
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

  /** Those of most targets first; targets in their order. How they ended is what the deployment says of them. */
  grouped(targets: readonly TargetView[]): readonly Answer[] {
    const groups = new Map<string, Omit<Answer, 'targets'> & { readonly targets: string[] }>();
    for (const { index, name, status, reason } of targets) {
      const exitStatus = this.#exits.get(index) ?? null;
      const ending = { status, exitStatus, reason: exitStatus === null ? (reason ?? '') : '' };
      const wrote = this.#wrote.get(index);
      const key = JSON.stringify([ending, wrote?.hash.end() ?? '', this.hasReadAll && index]);
      const found = groups.get(key);
      if (found) found.targets.push(name);
      else groups.set(key, { ...ending, ...this.#outputOf(wrote), targets: [name] });
    }
    return [...groups.values()].toSorted((a, b) => b.targets.length - a.targets.length);
  }

  #outputOf(wrote: Wrote = { hash: sha256InPieces(), length: 0, text: '' }) {
    const { text: output, length: outputLength } = wrote;
    return { output, outputLength, cut: outputLength > output.length || this.hasReadAll };
  }
}
