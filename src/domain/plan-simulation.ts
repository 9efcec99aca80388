import type { MemberRef, MemberState } from './balancer.ts';
import type { Plan } from './plan.ts';

/**
 * What may go wrong with a step on one target. `fails`: it says so; `hangs`: until its deadline; `lost`: nobody can say how it
 * ended; `unreachable`: its host or balancer does not answer; `unwell`: the service is not healthy; `stays`: connections do not
 * end in time; `not-up`: the balancer does not see it as up.
 */
export const MISHAPS = ['fails', 'hangs', 'lost', 'unreachable', 'unwell', 'stays', 'not-up'] as const;
export type Mishap = (typeof MISHAPS)[number];

/** How likely it is; `met` of `of` times in the log, evened out with what is usual where the log tells little. */
export type Odds = { readonly share: number; readonly met: number; readonly of: number };

/** How a step of a sequence goes on one target, as far as the log tells. */
export type StepOdds = {
  readonly sequence: string;
  readonly step: string;
  /** How long it takes, in ms, in ascending order: one of them is drawn. */
  readonly sortedMs: readonly number[];
  /** Those that can happen to it. */
  readonly mishaps: { readonly [K in Mishap]?: Odds };
};

/** A plan that is to be run many times in the simulated world, and what that world is like when it begins. */
export type PlanSimulation = {
  readonly plan: Plan;
  /** With all their members; a pool that is not listed has the members of the plan, and all of them serve. */
  readonly pools: readonly SimulatedPool[];
  /** Members that Edge has parked. */
  readonly parked: readonly MemberRef[];
  /** Members that other deployments have out of service and are going to return. */
  readonly returning: readonly MemberRef[];
  readonly odds: readonly StepOdds[];
  /** How often with a release that is as it should be, and how often with one that never becomes healthy. */
  readonly runs: { readonly good: number; readonly bad: number };
  /** The same seed gives the same runs. */
  readonly seed: number;
};

export type SimulatedPool = {
  readonly balancer: string;
  readonly pool: string;
  readonly members: readonly Pick<MemberState, 'member' | 'admin' | 'health'>[];
};

/**
 * How a run ends. `held`: it is paused and waits for a decision; `rollback-failed`: the rollback left something behind;
 * `unfinished`: it has come to no end, which is a fault of Edge.
 */
export const ENDINGS = [
  'succeeded',
  'with-exceptions',
  'rolled-back',
  'rollback-failed',
  'held',
  'failed',
  'aborted',
  'unfinished',
] as const;
export type Ending = (typeof ENDINGS)[number];

/** What came of all runs with one kind of release. */
export type SimulatedCase = {
  readonly release: 'good' | 'bad';
  readonly runs: number;
  readonly endings: { readonly [K in Ending]: number };
  /** From the start to the end, the rollback with it, or until it is held. */
  readonly durationMs: Spread;
  /** On how many targets more was done than to look. */
  readonly touched: Spread;
  /** How many ran the new release at some time, and how many of them got traffic. */
  readonly ran: Spread;
  readonly served: Spread;
  readonly pools: readonly SimulatedCapacity[];
};

export type Spread = {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly most: number;
};

/** The fewest members in service: in half of the runs no fewer than `usual`, and never fewer than `lowest`. */
export type SimulatedCapacity = {
  readonly balancer: string;
  readonly pool: string;
  /** Of its members in the pool only. */
  readonly zone?: string;
  readonly configured: number;
  readonly floor: number;
  readonly usual: number;
  readonly lowest: number;
};

export type PlanSimulationReport = {
  readonly cases: readonly SimulatedCase[];
  /** Promises that Edge broke on the way: a fault of Edge. The run is the same again with its seed. */
  readonly violations: readonly {
    readonly run: number;
    readonly release: 'good' | 'bad';
    readonly invariant: string;
    readonly message: string;
  }[];
};
