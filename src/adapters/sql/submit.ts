import { EdgeError } from '../../domain/errors.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import type { Submitted } from '../../ports/journal.ts';
import { first, type Operation, run, type Scope } from './operation.ts';

/**
 * `Journal.submit`. The id of a command outlives its inbox row, so that a late second one changes nothing. The deployments are
 * locked first: a commit that ends one must either see the row, or be seen to have ended it.
 */
export function* submit(scope: Scope, rows: readonly Submitted[]): Operation<void> {
  const orIgnore = scope.dialect.orIgnore(['id']);
  const wanted = new Set(rows.map(({ deployment }) => deployment));
  for (const deployment of [...wanted].toSorted()) yield* mustExist(scope, deployment);
  for (const { deployment, command } of rows) {
    const isNew = yield* run(
      `INSERT INTO submitted (id, deployment) VALUES (?, ?) ${orIgnore}`,
      command.id,
      deployment,
    );
    if (isNew === 0) continue;
    yield* run(
      'INSERT INTO inbox (deployment, id, body) VALUES (?, ?, ?)',
      deployment,
      command.id,
      JSON.stringify(command),
    );
    // A deployment that has ended answers too: its driver refuses the command in so many words.
    yield* run('UPDATE deployments SET open = 1 WHERE id = ? AND open = 0', deployment);
  }
  scope.ring(DRIVER_TOPIC);
}

function* mustExist({ dialect }: Scope, deployment: string): Operation<void> {
  if (yield* first(`SELECT 1 FROM deployments WHERE id = ? ${dialect.forUpdate}`, deployment)) return;
  throw new EdgeError('deployment_unknown', `There is no deployment ${deployment}.`);
}
