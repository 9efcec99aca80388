import type { Acquired, Commit, Lot, NewTask } from '../../ports/journal.ts';
import type { ClaimedTask, Report } from '../../ports/task-board.ts';
import { commandsOf, type InboxBody } from './inbox.ts';
import { parse, parseOrNull } from './json.ts';

/**
 * What is JSON in the tables crosses to the thread of the database as the text that is stored: the caller writes and reads it,
 * once. Only that thread can write, so what it need not do, every deployment has the good of.
 */
export type PackedCommit = Omit<Commit, 'events' | 'open' | 'snapshot'> & {
  readonly events: readonly string[];
  readonly isStart: boolean;
  readonly open: readonly PackedTask[];
  readonly snapshot?: string;
};
export type PackedTask = Omit<NewTask, 'inputs'> & { readonly inputs: string };
export type PackedLot = Omit<Lot, 'commands'> & { readonly bodies: readonly string[] };
export type PackedAcquired = Omit<Acquired, 'lot'> & { readonly lot: PackedLot };
export type PackedClaim = Omit<ClaimedTask, 'inputs' | 'checkpoint'> & {
  readonly inputs: string;
  readonly checkpoint: string | null;
};

export function packCommit({ events, open, snapshot, ...rest }: Commit): PackedCommit {
  return {
    ...rest,
    events: events.map((event) => JSON.stringify(event)),
    isStart: events.some(({ kind }) => kind === 'deployment.started'),
    open: open.map((task) => ({ ...task, inputs: JSON.stringify(task.inputs) })),
    ...(snapshot !== undefined && { snapshot: JSON.stringify(snapshot) }),
  };
}

export function unpackLot({ bodies, ...rest }: PackedLot): Lot {
  return { ...rest, commands: bodies.flatMap((body) => commandsOf(parse<InboxBody>(body))) };
}

/** No more than a report is, whatever else the caller's objects have. */
export const packReport = ({ task, epoch, attempt, startedAt, outcome }: Report): Report => ({
  task,
  epoch,
  attempt,
  startedAt,
  outcome,
});

export function unpackClaim({ inputs, checkpoint, ...rest }: PackedClaim): ClaimedTask {
  return { ...rest, inputs: parse(inputs), checkpoint: parseOrNull(checkpoint) };
}
