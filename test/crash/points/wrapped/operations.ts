import type { Operation } from '../../../../src/adapters/sql/operation.ts';
import * as real from '../../../../src/adapters/sql/operations.ts';
import { point } from '../point.ts';
import { isNothing } from '../pointed.ts';

export const isRead = real.isRead;

/** All its statements have run: the transaction is about to be committed. */
function written(name: string, operation: real.AnyOperation): real.AnyOperation {
  return function* (...args): Operation<unknown> {
    const result = yield* operation(...args);
    if (!isNothing(result)) point(`store.${name}:written`);
    return result;
  };
}

export const OPERATIONS = Object.fromEntries(
  Object.entries(real.OPERATIONS).map(([name, operation]) => [
    name,
    written(name, operation as real.AnyOperation),
  ]),
);
