import type { LeftRunning } from '../plan/request.ts';
import type { DeploymentRow, Views } from '../ports/views.ts';
import type { TargetView } from '../projections/deployment-view.ts';
import { loadView } from './deployments.ts';
import type { PlaceRequest } from './documents.ts';
import { isParked } from './survey.ts';

/** So many ended deployments are looked through for the last one that worked on a target; each costs its whole log. */
const MOST = 5;

/**
 * What nobody has seen the end of: the last step that was begun on a target, where neither a proof nor a person has told of it
 * since. Only targets that are parked, or were worked on without success, are looked for, so that a healthy fleet costs one question.
 */
export async function leftRunning(
  views: Views,
  { project, environment }: PlaceRequest,
): Promise<readonly LeftRunning[]> {
  const { targets, holds } = await views.fleet({ project, environment });
  const unproven = targets.filter((target) => target.unproven);
  const sought = new Set([...unproven, ...holds.filter(isParked)].map(({ target }) => target));
  if (sought.size === 0) return [];
  const rows = await views.deployments({ project, environment, ended: true, limit: MOST });
  const found: LeftRunning[] = [];
  for (const { id } of rows.filter(mayHaveLeft)) {
    if (sought.size === 0) break;
    const view = await loadView(views, id);
    for (const target of view.targets.filter(wasBegun)) {
      if (!sought.delete(target.name) || !target.mayRun) continue;
      found.push({ target: target.name, step: target.step ?? '', deployment: id });
    }
  }
  return found;
}

/** Each target of one that succeeded everywhere was seen well. */
const mayHaveLeft = ({ counts }: DeploymentRow): boolean => counts.succeeded < counts.total;
const wasBegun = ({ step }: TargetView): boolean => step !== null;
