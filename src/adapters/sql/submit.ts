import { EdgeError } from '../../domain/errors.ts';
import { DRIVER_TOPIC } from '../../domain/topics.ts';
import type { Submitted } from '../../ports/journal.ts';
import { first, type Operation, run, type Scope } from './operation.ts';

/** `Journal.submit`. The id of a command outlives its inbox row, so that a late second one changes nothing. */
export function* submit(scope: Scope, rows: readonly Submitted[]): Operation<void> {
  const { insertIgnore } = scope.dialect;
  for (const { deployment } of rows) yield* mustExist(deployment);
  for (const { deployment, command } of rows) {
    const isNew = yield* run(
      `${insertIgnore} submitted (id, deployment) VALUES (?, ?)`,
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

function* mustExist(deployment: string): Operation<void> {
  if (yield* first('SELECT 1 FROM deployments WHERE id = ?', deployment)) return;
  throw new EdgeError('deployment_unknown', `There is no deployment ${deployment}.`);
}
