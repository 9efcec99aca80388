import { MYSQL } from '../sql/dialect.ts';
import type { Operation, Scope } from '../sql/operation.ts';
import { type AnyOperation, type Call, isRead, OPERATIONS } from '../sql/operations.ts';
import type { MysqlConnection } from './connection.ts';
import { CommitUnknown, isConflict } from './mysql-error.ts';

/** What a call came to. `topics`: to be rung, now that the transaction is committed. */
export type Done = { readonly value: unknown; readonly topics: readonly string[] };

/** Of NOW: when the statement began, in ms since the epoch. The session's time zone is UTC, so none is there twice. */
const TIME = 'SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED) AS now';

/**
 * Runs a call in a transaction of its own. Rejects with `CommitUnknown` where nobody can say whether it is done; with every
 * other error nothing was done.
 */
export async function transact(
  connection: MysqlConnection,
  call: Call,
  steady: (now: number) => number,
): Promise<Done> {
  await connection.text(isRead(call.name) ? 'START TRANSACTION READ ONLY' : 'START TRANSACTION');
  const done = await perform(connection, call, steady).catch(async (error: unknown) => {
    await rollBack(connection);
    throw error;
  });
  await commit(connection);
  return done;
}

async function perform(
  connection: MysqlConnection,
  { name, args, now }: Call,
  steady: (now: number) => number,
): Promise<Done> {
  const topics: string[] = [];
  const time = now ?? steady(await timeOf(connection));
  const scope: Scope = { dialect: MYSQL, now: time, ring: (topic) => topics.push(topic) };
  const operation: AnyOperation = OPERATIONS[name] as AnyOperation;
  const value = await drive(operation(scope, ...args), (request) => connection.answer(request));
  return { value, topics };
}

/** Drives an operation to its end, inside whatever transaction is open. */
export async function drive<T>(operation: Operation<T>, answer: MysqlConnection['answer']): Promise<T> {
  let step = operation.next();
  while (!step.done) step = operation.next(await answer(step.value));
  return step.value;
}

export async function timeOf(connection: MysqlConnection): Promise<number> {
  const [row] = await connection.text(TIME);
  return Number(row?.now);
}

/** A cluster may say only now that the transaction lost against another: that is an answer, and nothing was done. */
async function commit(connection: MysqlConnection): Promise<void> {
  try {
    await connection.text('COMMIT');
  } catch (error) {
    if (isConflict(error)) throw error;
    connection.destroy();
    throw new CommitUnknown('COMMIT was sent, and no answer came', { cause: error });
  }
}

/** Where it fails the connection goes, and the transaction with it. */
async function rollBack(connection: MysqlConnection): Promise<void> {
  if (connection.isBroken) return;
  await connection.text('ROLLBACK').catch(() => connection.destroy());
}
