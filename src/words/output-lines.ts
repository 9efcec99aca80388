import type { Output } from '../api/contract.ts';
import type { OutputLine } from './watched.ts';

export type OutputRow = Output<'logs'>['rows'][number];

/** A beginning without an end is shown at this length, and goes on in the next line. */
const LONGEST_LINE = 8_192;

/** Makes whole lines of output that comes in pieces, for each task by itself. */
export class OutputLines {
  readonly #open = new Map<string, OutputLine>();

  add({ task, target, step, text }: OutputRow): readonly OutputLine[] {
    const parts = `${this.#open.get(task)?.text ?? ''}${text}`.split('\n');
    const rest = parts.pop() ?? '';
    this.#open.delete(task);
    if (rest.length > LONGEST_LINE) parts.push(rest);
    else if (rest !== '') this.#open.set(task, { target, step, text: rest });
    return parts.map((part) => ({ target, step, text: part }));
  }

  /** What is left without its end when nothing more will come. */
  rest(): readonly OutputLine[] {
    const rest = [...this.#open.values()];
    this.#open.clear();
    return rest;
  }
}
