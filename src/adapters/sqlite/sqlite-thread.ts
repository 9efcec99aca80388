import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { asEdgeError } from '../../domain/errors.ts';
import type { Answer, SqliteConnection } from '../sql/sqlite-connection.ts';
import { openConnection } from './open.ts';
import type { FromThread, ThreadAnswer, ThreadCall, ThreadData, ToThread } from './protocol.ts';

// The thread that has the database open: the main loop never waits for the disk (PROVEN.md section 6).

/** A transaction with so many calls takes no further message, so that nobody waits long for the others. */
const MAX_GROUP = 64;

if (parentPort) serve(parentPort, workerData as ThreadData);

function serve(port: MessagePort, data: ThreadData): void {
  const send = (message: FromThread): void => port.postMessage(message);
  try {
    const connection = openConnection(data);
    send({ kind: 'open' });
    port.on('message', (first: ToThread) => {
      const { calls, isLast } = gather(port, first);
      if (calls.length > 0) send({ kind: 'answers', answers: answerAll(connection, calls) });
      if (isLast) shut(port, connection);
    });
  } catch (error) {
    send({ kind: 'failed', error: asEdgeError(error).body });
    port.close();
  }
}

/** The thread ends when its port is closed. */
function shut(port: MessagePort, connection: SqliteConnection): void {
  connection.close();
  port.close();
}

/** The calls of the message that woke the thread, and of those that came since: they share a transaction. `close` is the last. */
function gather(
  port: MessagePort,
  first: ToThread,
): { readonly calls: ThreadCall[]; readonly isLast: boolean } {
  const calls: ThreadCall[] = [];
  for (let message: ToThread | undefined = first; message; message = received(port)) {
    if (message.kind === 'close') return { calls, isLast: true };
    calls.push(...message.calls);
    if (calls.length >= MAX_GROUP) break;
  }
  return { calls, isLast: false };
}

const received = (port: MessagePort): ToThread | undefined =>
  (receiveMessageOnPort(port) as { readonly message: ToThread } | undefined)?.message;

function answerAll(connection: SqliteConnection, calls: readonly ThreadCall[]): readonly ThreadAnswer[] {
  const answers = connection.runAll(calls.map(({ call }) => call));
  return calls.flatMap(({ id }, index) => {
    const answer = answers[index];
    return answer ? [toThreadAnswer(id, answer)] : [];
  });
}

function toThreadAnswer(id: number, answer: Answer): ThreadAnswer {
  if (answer.kind === 'error') return { id, error: asEdgeError(answer.error).body };
  return { id, value: answer.value, topics: answer.topics };
}
