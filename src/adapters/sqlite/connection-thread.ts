import { Worker } from 'node:worker_threads';
import { asEdgeError, EdgeError, type ErrorBody } from '../../domain/errors.ts';
import { storeClosed, storeGone } from '../sql/closed.ts';
import type { Call } from '../sql/operations.ts';
import type { FromThread, ThreadAnswer, ThreadCall, ThreadData } from './protocol.ts';

type Waiting = {
  /** Topics that were rung when the call was made. */
  readonly rung: readonly string[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: EdgeError) => void;
};

/** Source is TypeScript when Edge runs from its repository, and JavaScript in the published package. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? './sqlite-thread.ts' : './sqlite-thread.js',
  import.meta.url,
);

/** What a thread makes of rows lives no longer than a message: room for more of that is memory that nobody uses. */
const YOUNG_MB = 12;

/**
 * A database connection in a thread of its own. Calls that are made within one turn of the loop go there in one message, and so into
 * one transaction: to wake the thread for each costs more than most of them. Who waits for what a call is about to do is woken with it:
 * what he asks for stands behind that call in the line, so that he finds it done, most often in the same durable write.
 */
export class ConnectionThread {
  readonly #worker: Worker;
  readonly #ring: (topic: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #nextId = 0;
  readonly #calls: ThreadCall[] = [];
  #end: EdgeError | undefined;

  private constructor(data: ThreadData, ring: (topic: string) => void) {
    this.#ring = ring;
    this.#worker = new Worker(ENTRY, {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    this.#worker.on('message', (message: FromThread) => this.#receive(message));
    this.#worker.on('error', (error) => this.#stop(storeGone('The thread of the state store failed', error)));
    this.#worker.on('exit', () => this.#stop(storeClosed()));
  }

  /** Rejects with what `openConnection` says. */
  static async open(data: ThreadData, ring: (topic: string) => void): Promise<ConnectionThread> {
    const thread = new ConnectionThread(data, ring);
    await thread.#opened.promise;
    return thread;
  }

  /** Rejects with the operation's error, or `store_unavailable` once the thread has ended. */
  call<T>({ wakes = [], ...call }: Call): Promise<T> {
    if (this.#end) return Promise.reject(this.#end);
    this.#nextId += 1;
    const id = this.#nextId;
    if (this.#calls.push({ id, call }) === 1) setImmediate(() => this.#send());
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, rung: wakes });
    });
    for (const topic of wakes) this.#ring(topic);
    return answer as Promise<T>;
  }

  /** Calls under way are answered first. */
  async close(): Promise<void> {
    this.#send();
    if (this.#end === undefined) this.#worker.postMessage({ kind: 'close' });
    this.#end ??= storeClosed();
    await this.#ended.promise;
  }

  /** What cannot be cloned is a fault of its caller: it rejects, with those that go with it, and the thread goes on. */
  #send(): void {
    const calls = this.#calls.splice(0);
    if (calls.length === 0) return;
    try {
      this.#worker.postMessage({ kind: 'calls', calls });
    } catch (fault) {
      for (const { id } of calls) this.#settle({ id, error: asEdgeError(fault).body });
    }
  }

  #receive(message: FromThread): void {
    switch (message.kind) {
      case 'open':
        this.#opened.resolve();
        break;
      case 'failed':
        this.#opened.reject(fromBody(message.error));
        break;
      case 'answers':
        for (const answer of message.answers) this.#settle(answer);
        break;
      default:
        message satisfies never;
    }
  }

  #settle(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) {
      waiting?.reject(fromBody(answer.error));
      return;
    }
    waiting?.resolve(answer.value);
    for (const topic of answer.topics) if (!waiting?.rung.includes(topic)) this.#ring(topic);
  }

  #stop(error: EdgeError): void {
    this.#end ??= error;
    this.#opened.reject(this.#end);
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
    this.#ended.resolve();
  }
}

const fromBody = ({ code, message, ...details }: ErrorBody): EdgeError =>
  new EdgeError(code, message, details);
