import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { asEdgeError } from '../../domain/errors.ts';
import type { Answer, SqliteConnection } from '../sql/sqlite-connection.ts';
import { openConnection } from './open.ts';
import {
  decodeCall,
  encodeValue,
  type FromThread,
  type ThreadAnswer,
  type ThreadData,
  type ToThread,
} from './protocol.ts';

// The thread that has the database open: the main loop never waits for the disk (PROVEN.md section 6).

/** Calls that share one transaction at most, so that nobody waits long for the others. */
const MAX_GROUP = 64;

if (parentPort) serve(parentPort, workerData as ThreadData);

function serve(port: MessagePort, data: ThreadData): void {
  const send = (message: FromThread): void => port.postMessage(message);
  try {
    const connection = openConnection(data);
    send({ kind: 'open' });
    port.on('message', (first: ToThread) => {
      const group = gather(port, first);
      const calls = group.filter((message) => message.kind === 'call');
      if (calls.length > 0) send({ kind: 'answers', answers: answerAll(connection, calls) });
      if (calls.length < group.length) shut(port, connection);
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

/** The message that woke the thread, and those that came since: they share a transaction. `close` is the last. */
function gather(port: MessagePort, first: ToThread): readonly ToThread[] {
  const group = [first];
  while (group.length < MAX_GROUP && group.at(-1)?.kind !== 'close') {
    const next = receiveMessageOnPort(port) as { readonly message: ToThread } | undefined;
    if (!next) break;
    group.push(next.message);
  }
  return group;
}

type CallMessage = Extract<ToThread, { kind: 'call' }>;

function answerAll(connection: SqliteConnection, messages: readonly CallMessage[]): readonly ThreadAnswer[] {
  const answers = connection.runAll(messages.map(({ call }) => decodeCall(call)));
  return messages.flatMap(({ id }, index) => {
    const answer = answers[index];
    return answer ? [toThreadAnswer(id, answer)] : [];
  });
}

function toThreadAnswer(id: number, answer: Answer): ThreadAnswer {
  if (answer.kind === 'error') return { id, error: asEdgeError(answer.error).body };
  return { id, value: encodeValue(answer.value), topics: answer.topics };
}
