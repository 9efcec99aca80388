import type { Environment } from '../domain/environment.ts';
import type { Where } from '../domain/errors.ts';
import type { ProjectEnvironment } from '../domain/project-environment.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { Problem } from './problem.ts';
import type { Path } from './yaml-text.ts';

type Placed = { readonly document: ProjectEnvironment; readonly whereIs: (path: Path) => Where };

/** What belongs to the environment: which strategies there are to choose from, and what is locked. */
export function checkOwned(placed: Placed, environment: Environment): readonly Problem[] {
  return [...checkChoice(placed, environment), ...checkLocked(placed, environment)];
}

function checkChoice(
  { document: { strategy }, whereIs }: Placed,
  { name, strategies }: Environment,
): readonly Problem[] {
  if (!strategies || (typeof strategy === 'string' && strategies.includes(strategy))) return [];
  const isNamed = typeof strategy === 'string';
  const message = isNamed
    ? `The strategy "${strategy}" is not one of those of ${name}`
    : `${name} has strategies of its own, and this project names none of them`;
  const hint =
    (isNamed ? didYouMean(strategy, strategies) : undefined) ??
    `Write \`strategy:\` and one of ${strategies.join(', ')}.`;
  return [{ code: 'config_invalid', message, where: whereIs(['strategy']), hint }];
}

type Locked = NonNullable<Environment['locked']>[number];

function checkLocked({ document, whereIs }: Placed, { name, locked = [] }: Environment): readonly Problem[] {
  return locked.flatMap((field) =>
    placesOf(document, field).map(
      (path): Problem => ({
        code: 'config_invalid',
        message: `${field} is locked in ${name}`,
        where: whereIs(path),
        hint: `Leave it out here, or unlock it in the environment ${name}.`,
      }),
    ),
  );
}

/** Where a project environment sets the field otherwise. A floor of one pool is one way to set the floor. */
function placesOf(document: ProjectEnvironment, field: Locked): readonly Path[] {
  switch (field) {
    case 'health':
    case 'canary':
    case 'analysis':
    case 'notifications':
    case 'scripts':
      return document[field] === undefined ? [] : [[field]];
    case 'minInService':
      return [
        ...(document.policy?.minInService === undefined ? [] : [['policy', field]]),
        ...Object.keys(document.floors).map((pool) => ['floors', pool]),
      ];
    case 'minInServicePerZone':
    case 'maxFailures':
    case 'onFailure':
    case 'capacityWaitMs':
    case 'holdLimitMs':
    case 'approvals':
    case 'after':
      return document.policy?.[field] === undefined ? [] : [['policy', field]];
    default:
      return field satisfies never;
  }
}
