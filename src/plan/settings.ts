import type { Analysis } from '../domain/analysis.ts';
import { isOnMachines } from '../domain/artifact.ts';
import { deviceOf, devicesOf, type Environment } from '../domain/environment.ts';
import { EdgeError } from '../domain/errors.ts';
import type { Health } from '../domain/health.ts';
import type { Project } from '../domain/project.ts';
import type { ProjectEnvironment, WithTargets } from '../domain/project-environment.ts';
import type { Release } from '../domain/release.ts';
import type { Script } from '../domain/script.ts';
import type { InlineStrategy, Scripts, Strategy } from '../domain/strategy.ts';
import { didYouMean } from '../lib/nearest.ts';

/** What holds for a project in an environment, all overrides applied: the nearest to the target wins. */
export type Settings = {
  readonly project: string;
  readonly environment: string;
  readonly platform: Environment['platform'];
  readonly folder: string;
  readonly runAs: string | undefined;
  readonly keepReleases: number;
  readonly commands: Project['commands'];
  readonly onUnknown: NonNullable<Project['onUnknown']>;
  readonly env: Project['env'];
  /** Some targets have variables of their own. */
  readonly envDiffers: boolean;
  readonly gate: Project['gate'];
  readonly health: Health | undefined;
  readonly timeouts: Project['timeouts'];
  readonly ssh: Environment['ssh'];
  readonly hostKeys: Documents['hostKeys'];
  /** By device, as the members of plans name them. */
  readonly balancers: Environment['balancers'];
  readonly zones: Environment['zones'];
  readonly policy: Environment['policy'];
  readonly floors: ProjectEnvironment['floors'];
  readonly strategy: InlineStrategy;
  /** By the names that steps have for them: what is run here in their place. */
  readonly scripts: Scripts<Script>;
  readonly canary: boolean;
  /** By what a canary is judged; left out: by nobody. */
  readonly analysis: Analysis | undefined;
  readonly metrics: NonNullable<Environment['metrics']>;
  /** Some release that targets may get, or return to, has property files. */
  readonly hasFiles: boolean;
  /** Some of them have artifacts that are no files of the machines, or archives of other kinds than .tar.gz. */
  readonly hasSources: boolean;
  /** Some of them show another version than their own on the health page. */
  readonly showsOther: boolean;
  /** A release that is there whole is put there anew where it is not as it was: `--force`, where services are started anew. */
  readonly installsAnew: boolean;
};

/** `origin`: what was read, in words. `unread`: why it could not be, so that the targets are known from earlier plans. */
export type InventorySeen = { readonly origin: string; readonly unread?: string };

export type Documents = {
  readonly project: Project;
  readonly environment: Environment;
  readonly projectEnvironment: WithTargets;
  /** What the targets were read from; left out where they stand in the configuration. */
  readonly inventory?: InventorySeen;
  readonly strategies: readonly Strategy[];
  /** Those that the strategy may name, and what is run in their place. */
  readonly scripts: readonly Script[];
  /** The fingerprints that people have recorded for hosts of the environment, by `address:port`. */
  readonly hostKeys: ReadonlyMap<string, string>;
};

/** Throws `config_reference` if the project environment names a strategy that does not exist. */
export function resolveSettings(
  documents: Documents,
  releases: readonly Pick<Release, 'artifacts' | 'files' | 'reports'>[] = [],
): Settings {
  const { project, environment, projectEnvironment } = documents;
  const over = projectEnvironment.overrides;
  return {
    project: project.name,
    environment: environment.name,
    platform: environment.platform,
    folder: over?.folder ?? project.folder,
    runAs: over?.runAs ?? project.runAs,
    keepReleases: over?.keepReleases ?? project.keepReleases,
    commands: { ...project.commands, ...over?.commands },
    onUnknown: { ...project.onUnknown, ...over?.onUnknown },
    env: { ...project.env, ...over?.env },
    envDiffers: projectEnvironment.targets.some(({ env }) => env !== undefined),
    gate: over?.gate ?? project.gate,
    health: project.health && { ...project.health, ...environment.health, ...projectEnvironment.health },
    timeouts: { ...project.timeouts, ...over?.timeouts },
    ssh: environment.ssh,
    hostKeys: documents.hostKeys,
    balancers: devicesOf(environment),
    zones: environment.zones,
    policy: policyOf(environment.policy, projectEnvironment.policy),
    floors: floorsByDevice(projectEnvironment.floors, environment),
    strategy: strategyOf(projectEnvironment, documents.strategies),
    scripts: scriptsOf(documents),
    canary: projectEnvironment.canary ?? environment.canary,
    analysis: projectEnvironment.analysis ?? project.analysis,
    metrics: environment.metrics ?? {},
    hasFiles: releases.some(({ files }) => files !== undefined),
    hasSources: !releases.every(({ artifacts }) => artifacts.every(isOnMachines)),
    showsOther: releases.some(({ reports }) => reports !== undefined),
    installsAnew: false,
  };
}

/** `pool` stays; `balancer/pool` names the device. The name of a balancer has no slash. */
function floorsByDevice(floors: Settings['floors'], environment: Environment): Settings['floors'] {
  const renamed = (key: string): string => {
    const slash = key.indexOf('/');
    const name = key.slice(0, slash);
    return slash > 0 && name in environment.balancers
      ? `${deviceOf(environment, name)}${key.slice(slash)}`
      : key;
  };
  return Object.fromEntries(Object.entries(floors).map(([key, floor]) => [renamed(key), floor]));
}

function policyOf(base: Environment['policy'], over: ProjectEnvironment['policy']): Environment['policy'] {
  const { approvals: _, ...others } = over ?? {};
  return {
    ...base,
    ...others,
    maxFailures: { ...base.maxFailures, ...over?.maxFailures },
    onFailure: { ...base.onFailure, ...over?.onFailure },
    ...approvalsOf(base, over),
  };
}

const NO_APPROVAL = { count: 0, limitMs: 86_400_000 };

function approvalsOf(
  base: Environment['policy'],
  over: ProjectEnvironment['policy'],
): Pick<Environment['policy'], 'approvals'> {
  if (!base.approvals && !over?.approvals) return {};
  return { approvals: { ...NO_APPROVAL, ...base.approvals, ...over?.approvals } };
}

function scriptsOf({ scripts, environment, projectEnvironment }: Documents): Scripts<Script> {
  const known = new Map(scripts.map((script) => [script.name, script]));
  const instead = new Map([
    ...Object.entries(environment.scripts ?? {}),
    ...Object.entries(projectEnvironment.scripts ?? {}),
  ]);
  return new Map(
    [...known.keys()].flatMap((name) => {
      const script = known.get(instead.get(name) ?? name);
      return script ? [[name, script]] : [];
    }),
  );
}

function strategyOf(
  { strategy, project, environment }: WithTargets,
  all: readonly Strategy[],
): InlineStrategy {
  if (typeof strategy !== 'string') return strategy;
  const found = all.find(({ name }) => name === strategy);
  if (found) return found;
  throw new EdgeError(
    'config_reference',
    `${project}/${environment} names the strategy "${strategy}", which does not exist`,
    {
      hint: didYouMean(
        strategy,
        all.map(({ name }) => name),
      ),
    },
  );
}
