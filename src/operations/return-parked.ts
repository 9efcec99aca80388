import { EdgeError } from '../domain/errors.ts';
import { authorize, type Caller } from './caller.ts';
import { start } from './deploy.ts';
import { documentsOf, type PlaceRequest } from './documents.ts';
import type { OperationPorts } from './ports.ts';
import type { Steered } from './steer.ts';
import { isParked } from './survey.ts';

export type ReturnInput = PlaceRequest & { readonly targets?: readonly string[]; readonly reason: string };

/**
 * Restarts parked targets, checks them and returns their members as they were found before Edge first touched them.
 * Throws `parked_unknown` and what planning throws.
 */
export async function returnParked(
  ports: OperationPorts,
  caller: Caller,
  input: ReturnInput,
): Promise<Steered> {
  authorize(caller, 'target.return');
  const { project, environment, reason } = input;
  await documentsOf(ports.records, input);
  const { holds } = await ports.views.fleet({ project, environment });
  const parked = new Set(holds.filter(isParked).map(({ target }) => target));
  const targets = input.targets ?? [...parked];
  const notParked = targets.find((target) => !parked.has(target));
  if (notParked !== undefined)
    throw new EdgeError('parked_unknown', `The target "${notParked}" is not parked`, {
      where: { target: notParked },
    });
  if (targets.length === 0)
    throw new EdgeError('parked_unknown', `Nothing of ${project}/${environment} is parked`);
  return start(ports, caller, {
    verb: 'restart',
    hard: false,
    force: false,
    returns: true,
    project,
    environment,
    targets,
    reason,
  });
}
