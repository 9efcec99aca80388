import type { TaskId } from '../domain/ids.ts';
import { CUT_SHORT } from '../lib/cut.ts';
import type { Json } from '../lib/json.ts';
import { cutAfter, cutBefore } from '../lib/utf8.ts';
import type { Clock } from '../ports/clock.ts';
import type { Checkpoint, TaskOutput } from '../ports/task-board.ts';

const CHUNK_BYTES = 64 * 1024;

/** `headBytes` are sent as they come, then only the last `tailBytes` are kept. Writers wait above `bufferBytes`. */
export type OutputLimits = {
  readonly headBytes: number;
  readonly tailBytes: number;
  readonly bufferBytes: number;
  /** Small pieces are gathered for this long. */
  readonly lingerMs: number;
};
export const OUTPUT_LIMITS: OutputLimits = {
  headBytes: 8 * 1024 * 1024,
  tailBytes: 1024 * 1024,
  bufferBytes: 256 * 1024,
  lingerMs: 100,
};

type Sink = {
  readonly task: TaskId;
  readonly epoch: number;
  /** Resolves when the board has the chunk, and the checkpoint that it may carry. */
  readonly append: (chunk: TaskOutput) => Promise<void>;
  /** Gives a checkpoint the next number of its claim. */
  readonly numbered: (checkpoint: Json) => Checkpoint;
  readonly clock: Clock;
  readonly limits: OutputLimits;
};

type Piece = { readonly data: Buffer; readonly reached: Json | undefined };

/**
 * The log of one attempt on its way to the board: bounded memory (M12), chunks of at most 64 KB that cut no character, and
 * an exact count of what was dropped between head and tail.
 */
export class OutputLog {
  readonly #sink: Sink;
  #pieces: Piece[] = [];
  #buffered = 0;
  #headLeft: number;
  #tail: Buffer = Buffer.alloc(0);
  #tailReached: Json | undefined;
  #dropped = 0;
  #seq = 0;
  #hurry = new AbortController();
  #sending: Promise<void> | undefined;
  #failure: unknown;
  #room: (() => void)[] = [];

  constructor(sink: Sink) {
    this.#sink = sink;
    this.#headLeft = sink.limits.headBytes;
  }

  /** Resolves when there is room for more. Rejects when the board refused what was written before. */
  async write(text: string, reached?: Json): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const data = Buffer.from(text);
    const head = cutBefore(data, this.#headLeft);
    const whole = head === data.length;
    if (head > 0 || (whole && reached !== undefined))
      this.#push({ data: data.subarray(0, head), reached: whole ? reached : undefined });
    if (!whole) this.#keepTail(data.subarray(head), reached);
    if (this.#buffered <= this.#sink.limits.bufferBytes) return;
    await new Promise<void>((resolve) => this.#room.push(resolve));
  }

  /**
   * Resolves when all but the tail has been accepted, with the checkpoints that go with it: one that is stored afterwards
   * is never followed by an older one.
   */
  async flush(): Promise<void> {
    this.#tailReached = undefined;
    this.#hurry.abort(CUT_SHORT);
    await this.#sending;
    this.#hurry = new AbortController();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Sends what is left, the tail too; after it nothing may be written. */
  async close(): Promise<void> {
    this.#hurry.abort(CUT_SHORT);
    await this.#sending;
    if (this.#dropped > 0) this.#push({ data: Buffer.from(droppedLine(this.#dropped)), reached: undefined });
    if (this.#tail.length > 0) this.#push({ data: this.#tail, reached: this.#tailReached });
    await this.#sending;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #push(piece: Piece): void {
    this.#headLeft = Math.max(0, this.#headLeft - piece.data.length);
    this.#buffered += piece.data.length;
    this.#pieces.push(piece);
    this.#sending ??= this.#send();
  }

  #keepTail(data: Buffer, reached: Json | undefined): void {
    this.#headLeft = 0;
    this.#tailReached = reached ?? this.#tailReached;
    const all = Buffer.concat([this.#tail, data]);
    const from = cutAfter(all, all.length - this.#sink.limits.tailBytes);
    this.#dropped += from;
    this.#tail = all.subarray(from);
  }

  async #send(): Promise<void> {
    try {
      while (this.#pieces.length > 0) {
        await this.#linger();
        await this.#sendChunk();
      }
    } catch (thrown) {
      this.#failure = thrown;
      this.#pieces = [];
      this.#buffered = 0;
    }
    this.#sending = undefined;
    this.#wakeWriters();
  }

  async #linger(): Promise<void> {
    const { clock, limits } = this.#sink;
    if (this.#hurry.signal.aborted || this.#buffered >= CHUNK_BYTES) return;
    await clock.sleep(limits.lingerMs, this.#hurry.signal).catch(() => undefined);
  }

  async #sendChunk(): Promise<void> {
    const { task, epoch, append, numbered } = this.#sink;
    const { data, reached } = this.#take();
    const checkpoint = reached === undefined ? {} : { checkpoint: numbered(reached) };
    await append({ task, epoch, seq: this.#seq, text: data.toString(), ...checkpoint });
    this.#seq += 1;
    this.#buffered -= data.length;
    this.#wakeWriters();
  }

  /**
   * Whole pieces up to a chunk; `reached` is that of the last. Only a piece that no chunk can hold is cut: a part of it has no
   * checkpoint, so whoever goes on from there would read it again.
   */
  #take(): Piece {
    const parts: Buffer[] = [];
    let room = CHUNK_BYTES;
    let reached: Json | undefined;
    for (let first = this.#pieces[0]; first !== undefined && room > 0; first = this.#pieces[0]) {
      if (parts.length > 0 && first.data.length > room) break;
      const cut = cutBefore(first.data, room);
      parts.push(first.data.subarray(0, cut));
      room -= cut;
      if (cut < first.data.length) {
        this.#pieces[0] = { data: first.data.subarray(cut), reached: first.reached };
        break;
      }
      this.#pieces.shift();
      reached = first.reached ?? reached;
    }
    return { data: Buffer.concat(parts), reached };
  }

  #wakeWriters(): void {
    if (this.#buffered > this.#sink.limits.bufferBytes) return;
    const waiting = this.#room;
    this.#room = [];
    for (const resolve of waiting) resolve();
  }
}

const droppedLine = (bytes: number): string => `\n[${bytes} bytes dropped]\n`;
