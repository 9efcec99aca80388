import type { Json } from '../lib/json.ts';
import type { Checkpoint } from '../ports/task-board.ts';

/** Numbers the checkpoints of one claim in the order in which they are made. */
export function numbering(): (value: Json) => Checkpoint {
  let no = 0;
  return (value) => {
    no += 1;
    return { no, value };
  };
}
