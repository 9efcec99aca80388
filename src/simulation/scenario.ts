import type { MemberRef } from '../domain/balancer.ts';
import type { Verb } from '../domain/plan.ts';
import type { Json } from '../lib/json.ts';
import type { Strengths } from './faults.ts';

/** What becomes of a release where it is started. */
export type Nature = 'good' | 'sick' | 'flaps' | 'does-not-start';

/** `isHarmful`: requests fail where it runs, and no health check sees it. */
export type ScenarioRelease = {
  readonly version: string;
  readonly nature: Nature;
  readonly isHarmful?: true;
};

export type ScenarioProject = {
  readonly name: string;
  /** The first one runs on the fleet before anything begins. */
  readonly releases: readonly ScenarioRelease[];
  /** As in a project environment. */
  readonly strategy: Readonly<Record<string, Json>>;
  /** As in a project: without it nobody judges its canaries. */
  readonly analysis?: Readonly<Record<string, Json>>;
  readonly health: { readonly passes: number; readonly intervalMs: number; readonly windowMs: number };
};

export type ScenarioTarget = {
  readonly name: string;
  readonly project: string;
  readonly zone: string;
  readonly members: readonly ScenarioMember[];
  /** `disabled`: by a person, long ago; `stopped`: its service does not run; `new`: nothing was ever installed. */
  readonly found: 'serves' | 'disabled' | 'stopped' | 'new';
};

/** `member`: its name there, if not that of its target. `isDisabled`: by a person, although others of its target serve. */
export type ScenarioMember = {
  readonly balancer: string;
  readonly pool: string;
  readonly member?: string;
  readonly isDisabled?: boolean;
};

export const refsOf = ({ name, members }: ScenarioTarget): readonly MemberRef[] =>
  members.map(({ balancer, pool, member = name }) => ({ balancer, pool, member }));

/** A deployment that somebody is going to ask for; a version is that of one of the project's releases. */
export type Ask = {
  readonly atMs: number;
  readonly project: string;
  readonly verb: Verb;
  readonly version?: string;
  readonly hard: boolean;
};

/**
 * All that a seed decides before the first thing happens, as data: a scenario can be shrunk, printed and run again. What
 * happens on the way is decided by `seed` as well.
 */
export type Scenario = {
  readonly seed: number;
  readonly servers: number;
  readonly zones: readonly { readonly name: string; readonly workers: number }[];
  /** Workers of the first zone, or of all, live in the servers' processes, as in the embedded default. */
  readonly embedded: boolean | 'all';
  readonly projects: readonly ScenarioProject[];
  readonly targets: readonly ScenarioTarget[];
  readonly policy: Readonly<Record<string, Json>>;
  readonly asks: readonly Ask[];
  readonly strengths: Strengths;
  readonly faultsUntilMs: number;
  /** Services start by themselves when their host has booted. */
  readonly startsAtBoot: boolean;
};

export const ENVIRONMENT = 'production';
export const FOLDER = '/srv/app';
/** The commands of further steps: one that changes the service, and one that does not. */
export const CHANGE = 'bin/change';
/** What people run beside deployments. */
export const LOOK = 'uptime';
export const TELL = 'bin/tell';
/** How each target shows that it is well. */
export const CHECK = { kind: 'http', port: 8080, path: '/health', version: { header: 'x-version' } };
