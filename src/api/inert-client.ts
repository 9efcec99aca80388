import { inertDeep } from '../lib/inert-text.ts';
import type { EdgeClient } from './client.ts';

/**
 * The client whose every answer is inert: names, reasons and output come from other people and from hosts, and a terminal
 * obeys what it is sent. One place for all commands and for the page, so that none can forget it. With `--json` answers stay exact: there
 * `inertJson` writes them as escapes.
 */
export function inertClient(client: EdgeClient): EdgeClient {
  const methods = Object.entries<(...given: never[]) => unknown>(client).map(([name, method]) => [
    name,
    (...given: never[]) => inertAnswer(method(...given)),
  ]);
  // The keys are those of the client, and each method answers as before, with other texts.
  return Object.fromEntries(methods) as EdgeClient;
}

function inertAnswer(answer: unknown): unknown {
  if (answer instanceof Promise) return answer.then(inertDeep);
  return isIterable(answer) ? inertItems(answer) : answer;
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

async function* inertItems(items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const item of items) yield inertDeep(item);
}
