import { EdgeError } from '../domain/errors.ts';
import { deploys } from '../domain/plan.ts';
import type { DeploymentRow } from '../ports/views.ts';
import { authorize, type Caller } from './caller.ts';
import { start } from './deploy.ts';
import { loadView, mustExist } from './deployments.ts';
import type { OperationPorts } from './ports.ts';
import { refused, refuseWaiting, type Steered, type SteerInput, submit } from './steer.ts';

/**
 * Of a deployment that runs: it stops, and its end starts the rollback (`overall.rollback` names it). Of one that has ended: a
 * new deployment goes back to the last release that fully succeeded before. Throws `deployment_unknown`, `verb_refused` and
 * what planning throws.
 */
export async function rollback(ports: OperationPorts, caller: Caller, input: SteerInput): Promise<Steered> {
  authorize(caller, 'deployment.decide');
  const row = await mustExist(ports.views, input.deployment);
  if (row.verb === 'rollback') throw refused(row.id, 'is a rollback itself');
  if (!deploys(row.verb)) throw refused(row.id, 'has put nothing there');
  return row.ended ? back(ports, caller, { row, reason: input.reason }) : stop(ports, caller, input);
}

async function stop(ports: OperationPorts, caller: Caller, input: SteerInput): Promise<Steered> {
  const { overall } = await loadView(ports.views, input.deployment);
  refuseWaiting(overall, input.deployment);
  if (overall.stopping) throw refused(input.deployment, 'is stopping already');
  return submit(ports, caller, {
    deployment: input.deployment,
    body: { kind: 'rollback', reason: input.reason },
  });
}

async function back(
  ports: OperationPorts,
  caller: Caller,
  { row, reason }: { readonly row: DeploymentRow; readonly reason: string },
): Promise<Steered> {
  authorize(caller, 'deployment.start');
  const { project, environment } = row;
  const [newest] = await ports.views.deployments({ project, environment, deploys: true, limit: 1 });
  if (newest && newest.id !== row.id) {
    throw new EdgeError('verb_refused', `${newest.id} came after ${row.id}`, {
      hint: `Roll back that one, or the environment: \`edge rollback ${project} ${environment}\`.`,
    });
  }
  return start(ports, caller, { verb: 'rollback', hard: false, force: false, project, environment, reason });
}
