import type { EdgeError } from '../domain/errors.ts';
import type { TaskId } from '../domain/ids.ts';
import { Batcher } from './batcher.ts';
import type { WorkerNotice, WorkerPorts } from './settings.ts';

/** Whether the board answers, told once at each change; and what is sent to it until it does. */
export class BoardLink {
  readonly #ports: WorkerPorts;
  readonly #over: AbortSignal;
  #silent = false;

  /** `over`: nothing more is tried after it. */
  constructor(ports: WorkerPorts, over: AbortSignal) {
    this.#ports = ports;
    this.#over = over;
  }

  get isSilent(): boolean {
    return this.#silent;
  }

  answered(): void {
    if (this.#silent) this.#notice({ kind: 'board.back' });
    this.#silent = false;
  }

  failed(error: EdgeError): void {
    if (!this.#silent) this.#notice({ kind: 'board.silent', error });
    this.#silent = true;
  }

  #notice(notice: WorkerNotice): void {
    this.#ports.notice(notice);
  }

  /** Items of all tasks in common lots of up to `max`, in order for each task. */
  batcher<Item extends { readonly task: TaskId }, Result>(
    max: number,
    send: (items: readonly Item[]) => Promise<(item: Item) => Result>,
  ): Batcher<Item, Result> {
    return new Batcher({
      send: async (items) => {
        const answer = await send(items);
        this.answered();
        return answer;
      },
      max,
      keyOf: ({ task }) => task,
      clock: this.#ports.clock,
      signal: this.#over,
      onFailure: (error) => this.failed(error),
    });
  }
}
