import { memberKey } from '../domain/capacity.ts';
import type { Environment } from '../domain/environment.ts';
import type { Where } from '../domain/errors.ts';
import {
  namedMembers,
  type TargetConfig,
  type WithTargets,
  writtenMembers,
} from '../domain/project-environment.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { Problem } from './problem.ts';
import type { Path } from './yaml-text.ts';

/** Where the parts of targets stand, in a file of configuration or in an inventory. */
export type TargetPlaces = {
  readonly ofTarget: (index: number, path: Path) => Where;
  readonly ofFloor: (pool: string) => Where;
};

/** Whether targets fit their environment and each other. */
export function checkTargets(
  { targets, floors }: Pick<WithTargets, 'targets' | 'floors'>,
  environment: Environment,
  whereIs: TargetPlaces,
): readonly Problem[] {
  const each = targets.flatMap((target, index) =>
    checkTarget(target, environment, (path) => whereIs.ofTarget(index, path)),
  );
  const names = repeated(
    targets,
    ({ name }) => name,
    (name, index) => twice(`The target "${name}" is there twice`, whereIs.ofTarget(index, ['name'])),
  );
  const members = targets.flatMap((target, index) =>
    namedMembers(target, environment).map((ref) => ({ ref, index })),
  );
  const shared = repeated(
    members,
    ({ ref }) => memberKey(ref),
    (_, at) => {
      const { ref, index } = members[at] ?? { index: 0 };
      return twice(
        `The member ${ref?.pool}/${ref?.member} belongs to two targets`,
        whereIs.ofTarget(index, []),
      );
    },
  );
  const pools = new Set(members.flatMap(({ ref }) => [ref.pool, `${ref.balancer}/${ref.pool}`]));
  const floored = Object.keys(floors).flatMap((pool) =>
    unknown(pools, pool, 'pool of a target', whereIs.ofFloor(pool)),
  );
  return [...each, ...names, ...shared, ...floored];
}

function checkTarget(
  target: TargetConfig,
  environment: Environment,
  whereIs: (path: Path) => Where,
): readonly Problem[] {
  const zones = new Set(environment.zones.map(({ name }) => name));
  const balancers = new Set(Object.keys(environment.balancers));
  const zone =
    target.zone === undefined
      ? needed(
          zones.size > 1,
          `The target ${target.name} needs a zone, since ${environment.name} has several`,
          whereIs([]),
        )
      : unknown(zones, target.zone, `zone of ${environment.name}`, whereIs(['zone']));
  const members = writtenMembers(target).flatMap(({ balancer }, index) => {
    const where = whereIs(target.member === undefined ? ['members', index] : ['member']);
    if (balancer !== undefined) return unknown(balancers, balancer, `balancer of ${environment.name}`, where);
    return needed(
      balancers.size !== 1,
      `The member needs its balancer: ${environment.name} has ${balancers.size}`,
      where,
    );
  });
  return [...zone, ...members];
}

export function unknown(
  names: ReadonlySet<string>,
  name: string,
  what: string,
  where: Where,
): readonly Problem[] {
  if (names.has(name)) return [];
  return [
    {
      code: 'config_reference',
      message: `There is no ${what} "${name}"`,
      where,
      hint: didYouMean(name, names),
    },
  ];
}

export function needed(when: boolean, message: string, where: Where): readonly Problem[] {
  return when ? [{ code: 'config_invalid', message, where }] : [];
}

export const twice = (message: string, where: Where): Problem => ({
  code: 'config_duplicate',
  message,
  where,
});

export function repeated<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  problem: (name: string, index: number) => Problem,
): readonly Problem[] {
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const name = nameOf(item);
    if (seen.has(name)) return [problem(name, index)];
    seen.add(name);
    return [];
  });
}
