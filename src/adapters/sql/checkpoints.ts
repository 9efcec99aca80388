import type { TaskId } from '../../domain/ids.ts';
import type { Checkpoint } from '../../ports/task-board.ts';
import { each, type Operation } from './operation.ts';

type Carrier = { readonly task: TaskId; readonly checkpoint?: Checkpoint };

/** Stores the checkpoints that come with the calls of a claim that still holds, unless the board has a later one of it. */
export function* keepCheckpoints(carriers: readonly Carrier[]): Operation<void> {
  yield* each(
    `UPDATE tasks SET checkpoint = ?, checkpoint_no = ? WHERE id = ? AND state = 'claimed' AND checkpoint_no < ?`,
    carriers.flatMap(({ task, checkpoint }) =>
      checkpoint === undefined
        ? []
        : [[JSON.stringify(checkpoint.value), checkpoint.no, task, checkpoint.no]],
    ),
  );
}
