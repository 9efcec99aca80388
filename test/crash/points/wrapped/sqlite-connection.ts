import type { Call } from '../../../../src/adapters/sql/operations.ts';
import {
  type Answer,
  SqliteConnection as RealConnection,
} from '../../../../src/adapters/sql/sqlite-connection.ts';
import { point } from '../point.ts';
import { isNothing } from '../pointed.ts';

/** The transaction is committed, and nobody has been told. */
export class SqliteConnection extends RealConnection {
  override runAll(calls: readonly Call[]): readonly Answer[] {
    const answers = super.runAll(calls);
    for (const [n, { name }] of calls.entries()) {
      const answer = answers[n];
      if (answer?.kind === 'value' && !isNothing(answer.value)) point(`store.${name}:committed`);
    }
    return answers;
  }
}
