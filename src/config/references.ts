import { type Analysis, BALANCER } from '../domain/analysis.ts';
import type { Environment } from '../domain/environment.ts';
import type { Where } from '../domain/errors.ts';
import type { InventorySource, PoolSource } from '../domain/inventory.ts';
import type { Project } from '../domain/project.ts';
import { isList, type ProjectEnvironment } from '../domain/project-environment.ts';
import type { ScriptShape } from '../domain/script.ts';
import type { CheckSteps, Scripts, Strategy } from '../domain/strategy.ts';
import type { ConfigDocument } from './kinds.ts';
import { checkOwned } from './owned.ts';
import type { Problem } from './problem.ts';
import { checkTargets, needed, repeated, twice, unknown } from './target-references.ts';
import type { Path } from './yaml-text.ts';

/** The configuration that is in force already. */
export type Known = {
  readonly projects: readonly Project[];
  readonly environments: readonly Environment[];
  readonly strategies: readonly Strategy[];
  readonly scripts: readonly ScriptShape[];
  readonly projectEnvironments: readonly ProjectEnvironment[];
};
export const NOTHING_KNOWN: Known = {
  projects: [],
  environments: [],
  strategies: [],
  scripts: [],
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
  const steps = loaded.flatMap((placed) => checkStrategy(placed, world.scripts, checkSteps));
  return [
    ...written,
    ...steps,
    ...kept.flatMap((document) => checkProjectEnvironment(unplaced(document), world)),
  ];
}

/** The steps of a strategy, wherever it is written. */
function checkStrategy(
  { document, whereIs }: Placed<ConfigDocument>,
  scripts: Scripts,
  checkSteps: CheckSteps,
): readonly Problem[] {
  const isPlace = document.kind === 'project-environment';
  const strategy = isPlace ? document.strategy : document.kind === 'strategy' ? document : undefined;
  if (strategy === undefined || typeof strategy === 'string') return [];
  return checkSteps(strategy, scripts).map(({ path, ...problem }) => ({
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
  /** By project. */
  readonly analyses: ReadonlyMap<string, Analysis>;
  readonly strategies: ReadonlySet<string>;
  readonly scripts: Scripts;
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
  const written = documents.flatMap((each) => (each.kind === 'script' ? [each] : []));
  const scripts: readonly ScriptShape[] = [...known.scripts, ...written];
  return {
    projects: new Set(names('project')),
    analyses: new Map(
      all.flatMap((each) =>
        each.kind === 'project' && each.analysis ? [[each.name, each.analysis] as const] : [],
      ),
    ),
    scripts: new Map(scripts.map((script) => [script.name, script])),
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
    case 'script':
      return [];
    default:
      return document satisfies never;
  }
}

/** Both sides of what stands for what. */
function checkScripts(
  { document: { scripts = {} }, whereIs }: Placed<Environment | ProjectEnvironment>,
  world: World,
): readonly Problem[] {
  const known = new Set(world.scripts.keys());
  return Object.entries(scripts).flatMap(([name, other]) =>
    [name, other].flatMap((each) => unknown(known, each, 'script', whereIs(['scripts', name]))),
  );
}

function checkEnvironment({ document, whereIs }: Placed<Environment>, world: World): readonly Problem[] {
  const zones = repeated(
    document.zones,
    ({ name }) => name,
    (name, index) => twice(`The zone "${name}" is there twice`, whereIs(['zones', index])),
  );
  const owned = (document.strategies ?? []).flatMap((name, index) =>
    unknown(world.strategies, name, 'strategy', whereIs(['strategies', index])),
  );
  const after = checkAfter({ document, whereIs }, document.name, world);
  return [...zones, ...owned, ...after, ...checkScripts({ document, whereIs }, world)];
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
    ...checkScripts({ document, whereIs }, world),
    ...(environment ? checkOwned({ document, whereIs }, environment) : []),
    ...(environment ? checkAnalysis({ document, whereIs }, environment, world) : []),
    ...(environment ? checkHosts({ document, whereIs }, environment) : []),
  ];
}

/** Where nothing is measured nobody judges; where something is, the names have to fit. What balancers count needs no source. */
function checkAnalysis(
  { document, whereIs }: Placed<ProjectEnvironment>,
  { metrics = {} }: Environment,
  { analyses }: World,
): readonly Problem[] {
  const known = new Set([...Object.keys(metrics), BALANCER]);
  const { analysis = analyses.get(document.project) } = document;
  if (!analysis || Object.keys(metrics).length === 0) return [];
  return analysis.metrics.flatMap(({ source }, index) =>
    unknown(
      known,
      source,
      'source of metrics',
      whereIs(document.analysis ? ['analysis', 'metrics', index, 'source'] : ['project']),
    ),
  );
}

/** Where the targets are read only when a plan is made, what is written here is all that can be checked now. */
function checkHosts(
  { document, whereIs }: Placed<ProjectEnvironment>,
  environment: Environment,
): readonly Problem[] {
  const { targets, floors } = document;
  if (!isList(targets)) return checkInventory(targets, environment, (path) => whereIs(['targets', ...path]));
  return checkTargets({ targets, floors }, environment, {
    ofTarget: (index, path) => whereIs(['targets', index, ...path]),
    ofFloor: (pool) => whereIs(['floors', pool]),
  });
}

function checkInventory(
  source: InventorySource,
  environment: Environment,
  whereIs: (path: Path) => Where,
): readonly Problem[] {
  const zones = new Set(environment.zones.map(({ name }) => name));
  const zone = (name: string, path: Path) =>
    unknown(zones, name, `zone of ${environment.name}`, whereIs(path));
  const usual = source.defaults?.zone;
  return [
    ...(usual === undefined ? [] : zone(usual, ['defaults', 'zone'])),
    ...Object.keys(source.zones ?? {}).flatMap((name) => zone(name, ['zones', name])),
    ...(source.from === 'pool' ? checkBalancer(source, environment, whereIs) : []),
  ];
}

function checkBalancer(
  { balancer }: PoolSource,
  { name, balancers }: Environment,
  whereIs: (path: Path) => Where,
): readonly Problem[] {
  const names = new Set(Object.keys(balancers));
  if (balancer !== undefined) return unknown(names, balancer, `balancer of ${name}`, whereIs(['balancer']));
  return needed(
    names.size !== 1,
    `The pool needs its balancer: ${name} has ${names.size}`,
    whereIs(['pool']),
  );
}
