import { memberKey } from '../domain/capacity.ts';
import type { Environment } from '../domain/environment.ts';
import type { Where } from '../domain/errors.ts';
import type { Project } from '../domain/project.ts';
import {
  namedMembers,
  type ProjectEnvironment,
  type TargetConfig,
  writtenMembers,
} from '../domain/project-environment.ts';
import type { CheckSteps, Strategy } from '../domain/strategy.ts';
import { didYouMean } from '../lib/nearest.ts';
import type { ConfigDocument } from './kinds.ts';
import { checkOwned } from './owned.ts';
import type { Problem } from './problem.ts';
import type { Path } from './yaml-text.ts';

/** The configuration that is in force already. */
export type Known = {
  readonly projects: readonly Project[];
  readonly environments: readonly Environment[];
  readonly strategies: readonly Strategy[];
  readonly projectEnvironments: readonly ProjectEnvironment[];
};
export const NOTHING_KNOWN: Known = {
  projects: [],
  environments: [],
  strategies: [],
  projectEnvironments: [],
};

export type Placed<T> = { readonly document: T; readonly whereIs: (path: Path) => Where };

/** Whether all names lead somewhere, in the files and in what is known that the files do not replace. */
export function checkReferences(
  loaded: readonly Placed<ConfigDocument>[],
  known: Known,
  checkSteps: CheckSteps,
): readonly Problem[] {
  const world = worldOf(
    loaded.map(({ document }) => document),
    known,
  );
  const written = loaded.flatMap((placed) => problemsOf(placed, world));
  const replaced = new Set(
    loaded.flatMap(({ document }) => (document.kind === 'project-environment' ? [placeName(document)] : [])),
  );
  const kept = known.projectEnvironments.filter((each) => !replaced.has(placeName(each)));
  const steps = loaded.flatMap((placed) => checkStrategy(placed, checkSteps));
  return [
    ...written,
    ...steps,
    ...kept.flatMap((document) => checkProjectEnvironment(unplaced(document), world)),
  ];
}

/** The steps of a strategy, wherever it is written. */
function checkStrategy(
  { document, whereIs }: Placed<ConfigDocument>,
  checkSteps: CheckSteps,
): readonly Problem[] {
  const isPlace = document.kind === 'project-environment';
  const strategy = isPlace ? document.strategy : document.kind === 'strategy' ? document : undefined;
  if (strategy === undefined || typeof strategy === 'string') return [];
  return checkSteps(strategy).map(({ path, ...problem }) => ({
    ...{ code: 'config_invalid', ...problem },
    where: whereIs(isPlace ? ['strategy', ...path] : path),
  }));
}

const placeName = ({ project, environment }: ProjectEnvironment) => `${project}/${environment}`;

/** A document that stands in no file of this load: its problems name it in place of a line. */
function unplaced(document: ProjectEnvironment): Placed<ProjectEnvironment> {
  return { document, whereIs: () => ({ path: `project-environment ${placeName(document)}` }) };
}

type World = {
  readonly projects: ReadonlySet<string>;
  readonly strategies: ReadonlySet<string>;
  readonly environments: ReadonlyMap<string, Environment>;
};

function worldOf(documents: readonly ConfigDocument[], known: Known): World {
  const all: readonly ConfigDocument[] = [
    ...known.projects,
    ...known.environments,
    ...known.strategies,
    ...documents,
  ];
  const names = (kind: 'project' | 'strategy') =>
    all.flatMap((each) => (each.kind === kind ? [each.name] : []));
  return {
    projects: new Set(names('project')),
    strategies: new Set(names('strategy')),
    environments: new Map(
      all.flatMap((each) => (each.kind === 'environment' ? [[each.name, each] as const] : [])),
    ),
  };
}

function problemsOf({ document, whereIs }: Placed<ConfigDocument>, world: World): readonly Problem[] {
  switch (document.kind) {
    case 'project-environment':
      return checkProjectEnvironment({ document, whereIs }, world);
    case 'environment':
      return checkEnvironment({ document, whereIs }, world);
    case 'release':
      return unknown(world.projects, document.project, 'project', whereIs(['project']));
    case 'project':
    case 'strategy':
      return [];
    default:
      return document satisfies never;
  }
}

function checkEnvironment({ document, whereIs }: Placed<Environment>, world: World): readonly Problem[] {
  const { strategies } = world;
  const zones = repeated(
    document.zones,
    ({ name }) => name,
    (name, index) => twice(`The zone "${name}" is there twice`, whereIs(['zones', index])),
  );
  const owned = (document.strategies ?? []).flatMap((name, index) =>
    unknown(strategies, name, 'strategy', whereIs(['strategies', index])),
  );
  return [...zones, ...owned, ...checkAfter({ document, whereIs }, document.name, world)];
}

/** A release can come after itself no more than after an environment that nobody has. */
function checkAfter(
  { document, whereIs }: Placed<Environment | ProjectEnvironment>,
  name: string,
  { environments }: World,
): readonly Problem[] {
  const others = new Set([...environments.keys()].filter((other) => other !== name));
  return (document.policy?.after ?? []).flatMap((before, index) => {
    const where = whereIs(['policy', 'after', index]);
    return before === name
      ? needed(true, `A release cannot come to ${name} after it came to ${name}`, where)
      : unknown(others, before, 'environment', where);
  });
}

function checkProjectEnvironment(
  { document, whereIs }: Placed<ProjectEnvironment>,
  world: World,
): readonly Problem[] {
  const { project, environment: name, strategy } = document;
  const environment = world.environments.get(name);
  return [
    ...unknown(world.projects, project, 'project', whereIs(['project'])),
    ...unknown(new Set(world.environments.keys()), name, 'environment', whereIs(['environment'])),
    ...(typeof strategy === 'string'
      ? unknown(world.strategies, strategy, 'strategy', whereIs(['strategy']))
      : []),
    ...checkAfter({ document, whereIs }, name, world),
    ...(environment ? checkOwned({ document, whereIs }, environment) : []),
    ...(environment ? checkTargets({ document, whereIs }, environment) : []),
  ];
}

function checkTargets(
  { document, whereIs }: Placed<ProjectEnvironment>,
  environment: Environment,
): readonly Problem[] {
  const { targets, floors } = document;
  const each = targets.flatMap((target, index) =>
    checkTarget(target, environment, (path) => whereIs(['targets', index, ...path])),
  );
  const names = repeated(
    targets,
    ({ name }) => name,
    (name, index) => twice(`The target "${name}" is there twice`, whereIs(['targets', index, 'name'])),
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
        whereIs(['targets', index]),
      );
    },
  );
  const pools = new Set(members.flatMap(({ ref }) => [ref.pool, `${ref.balancer}/${ref.pool}`]));
  const floored = Object.keys(floors).flatMap((pool) =>
    unknown(pools, pool, 'pool of a target', whereIs(['floors', pool])),
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

function unknown(names: ReadonlySet<string>, name: string, what: string, where: Where): readonly Problem[] {
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

function needed(when: boolean, message: string, where: Where): readonly Problem[] {
  return when ? [{ code: 'config_invalid', message, where }] : [];
}

const twice = (message: string, where: Where): Problem => ({ code: 'config_duplicate', message, where });

function repeated<T>(
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
