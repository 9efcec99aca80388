import type { MemberRef } from '../domain/balancer.ts';
import { memberKey, poolKey } from '../domain/capacity.ts';
import { EdgeError } from '../domain/errors.ts';
import type { PlanHash } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import {
  MISHAPS,
  type Mishap,
  type Odds,
  type PlanSimulation,
  type PlanSimulationReport,
} from '../domain/plan-simulation.ts';
import { oddsOf } from '../plan/step-odds.ts';
import { authorize, type Caller } from './caller.ts';
import { type PlanInput, planWithPast, type Seen } from './plan.ts';
import type { OperationPorts } from './ports.ts';
import type { Watched } from './watch.ts';

export type SimulatePlanInput = PlanInput & {
  readonly runs: number;
  readonly seed: number;
};

export type SimulatedItem =
  | { readonly kind: 'progress'; readonly done: number; readonly of: number }
  | ({
      readonly kind: 'report';
      readonly planHash: PlanHash;
      readonly seed: number;
    } & PlanSimulationReport & {
        readonly odds: readonly SimulatedOdds[];
      });

/** What the runs assumed of the steps: the shares that are drawn with, and what they come from. */
export type SimulatedOdds = Odds & { readonly step: string; readonly mishap: Mishap };

/** One of so many runs is made with a bad release: those end soon and are much alike. */
const BAD_AMONG = 5;
/** Targets times runs. */
const MOST_WORK = 2_000_000;

/**
 * Runs the plan that a deployment would follow now many times in a simulated world, and tells how it ended. Touches nothing.
 * Ends early with the signal. Throws what planning throws, and `request_invalid` for more than is bearable.
 */
export async function simulatePlan(
  ports: OperationPorts,
  caller: Caller,
  { input, signal }: Watched<SimulatePlanInput>,
): Promise<AsyncGenerator<SimulatedItem>> {
  authorize(caller, 'deployment.plan');
  const { plan, hash, past, seen } = await planWithPast(ports, input);
  refuseHuge(plan.targets.length, input.runs);
  refusePlugins(plan, ports.platform);
  const isNew = plan.verb === 'deploy' && plan.release !== null;
  const bad = isNew ? Math.floor(input.runs / BAD_AMONG) : 0;
  const runs = { good: input.runs - bad, bad };
  const request: PlanSimulation = {
    ...{ plan: begun(plan), runs, seed: input.seed, odds: oddsOf(plan, past.history) },
    ...surroundings(plan, seen),
  };
  return items(ports, { request, hash, signal });
}

/** What a plug-in does is its own to know. */
function refusePlugins({ sequences }: Plan, { ofPlugins }: OperationPorts['platform']): void {
  const foreign = Object.values(sequences)
    .flat()
    .find(({ action }) => ofPlugins.has(action));
  if (foreign)
    throw new EdgeError(
      'request_invalid',
      `The step ${foreign.id} is of a plug-in, which cannot be simulated`,
      {
        hint: 'Plan with a strategy without it to see the rest.',
      },
    );
}

/** As it is once it may start: how long people take to approve it nobody simulates. */
function begun({ approvals: _, ...plan }: Plan): Plan {
  return plan;
}

/** As much of what was seen as concerns the pools of the plan, and nothing that a thread could not be sent. */
function surroundings(plan: Plan, seen: Seen): Pick<PlanSimulation, 'pools' | 'parked' | 'returning'> {
  const members = plan.targets.flatMap((target) => target.members);
  const [ofPlan, named] = [new Set(members.map(memberKey)), new Set(members.map(poolKey))];
  const bare = ({ balancer, pool, member }: MemberRef): MemberRef => ({ balancer, pool, member });
  const pools = seen.pools.filter((pool) => named.has(poolKey(pool)));
  const seenPools = new Set(pools.map(poolKey));
  return {
    pools: pools.map(({ balancer, pool, members: all }) => ({
      ...{ balancer, pool },
      members: all.map(({ member, admin, health }) => ({ member, admin, health })),
    })),
    parked: seen.parked.filter((ref) => ofPlan.has(memberKey(ref))).map(bare),
    returning: seen.heldByOthers.filter((ref) => seenPools.has(poolKey(ref))).map(bare),
  };
}

function refuseHuge(targets: number, runs: number): void {
  if (targets * runs <= MOST_WORK) return;
  throw new EdgeError('request_invalid', `${runs} runs of a plan of ${targets} targets are too many`, {
    where: { path: 'runs' },
    hint: `Ask for at most ${Math.floor(MOST_WORK / targets)}.`,
  });
}

type Simulating = {
  readonly request: PlanSimulation;
  readonly hash: PlanHash;
  readonly signal: AbortSignal;
};

async function* items(
  { simulator }: OperationPorts,
  { request, hash, signal }: Simulating,
): AsyncGenerator<SimulatedItem> {
  const of = request.runs.good + request.runs.bad;
  // Also when nobody reads any more before the end.
  const left = new AbortController();
  let done = 0;
  let told = 0;
  let news = Promise.withResolvers<void>();
  const running = simulator.simulate(request, {
    signal: AbortSignal.any([signal, left.signal]),
    onProgress: (now) => {
      done = now;
      news.resolve();
    },
  });
  let isOver = false;
  const over = running.then(
    () => undefined,
    () => undefined,
  );
  void over.then(() => {
    isOver = true;
  });
  try {
    yield { kind: 'progress', done, of };
    while (!isOver) {
      await Promise.race([news.promise, over]);
      news = Promise.withResolvers<void>();
      if (told < done) yield { kind: 'progress', done, of };
      told = done;
    }
    yield { kind: 'report', planHash: hash, seed: request.seed, ...(await running), odds: oddsIn(request) };
  } finally {
    left.abort(new Error('nobody reads any more'));
    await over;
  }
}

/** Of each step and mishap once: sequences share them. */
function oddsIn({ odds, plan }: PlanSimulation): readonly SimulatedOdds[] {
  const used = new Set(
    plan.stages.flatMap(({ lanes }) =>
      lanes.flatMap(({ batches }) => batches.map(({ sequence }) => sequence)),
    ),
  );
  const all = odds
    .filter(({ sequence }) => used.has(sequence))
    .flatMap(({ step, mishaps }) =>
      MISHAPS.flatMap((mishap): readonly SimulatedOdds[] => {
        const known = mishaps[mishap];
        return known ? [{ step, mishap, ...known }] : [];
      }),
    );
  return [...new Map(all.map((one) => [`${one.step}/${one.mishap}`, one])).values()];
}
