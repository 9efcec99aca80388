import * as real from '../../../../src/adapters/mysql/transaction.ts';
import { point } from '../point.ts';
import { isNothing } from '../pointed.ts';

export const { drive, timeOf } = real;

/** The server has answered COMMIT, and nobody has been told. */
export const transact: typeof real.transact = async (connection, call, steady) => {
  const done = await real.transact(connection, call, steady);
  if (!isNothing(done.value)) point(`store.${call.name}:committed`);
  return done;
};
