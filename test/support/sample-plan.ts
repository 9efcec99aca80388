import type { MemberRef } from '../../src/domain/balancer.ts';
import type { Floor } from '../../src/domain/capacity.ts';
import { deploymentId, releaseId } from '../../src/domain/ids.ts';
import type { Batch, Plan, PlanTarget, Policy, PoolFloor, Step } from '../../src/domain/plan.ts';

/** A small plan for tests of the engine: `web-0 …` behind one pool `lb/web`, the batches as given, steps without effect. */
export type SampleOptions = {
  readonly batches: readonly (readonly number[])[];
  /** More lanes of the same stage, each with its batches. */
  readonly lanes?: readonly (readonly (readonly number[])[])[];
  readonly steps?: readonly Step[];
  readonly parallel?: number;
  readonly floor?: Floor;
  /** The floor of a zone, and which targets are in it. */
  readonly zoneFloor?: { readonly floor: Floor; readonly targets: readonly number[] };
  readonly policy?: Partial<Policy>;
  readonly verb?: Plan['verb'];
  readonly causedBy?: string;
  readonly hasMembers?: boolean;
  readonly countsFailures?: boolean;
};

export const V1 = releaseId('1.0.0-aaaaaaaa');
export const V2 = releaseId('2.0.0-bbbbbbbb');

export const step = (id: string, more: Partial<Step> = {}): Step => ({
  id,
  action: 'test.step@1',
  inputs: {},
  timeoutMs: 60_000,
  retries: { max: 0, backoffMs: 1_000 },
  onUnknown: 'ask',
  ...more,
});

export const GUARDED: readonly Step[] = [
  step('guard', { hold: 'take' }),
  step('drain'),
  step('start'),
  step('enable', { hold: 'give', inputs: { members: { asFound: true } } }),
  step('settle'),
];

const POLICY: Policy = {
  maxFailures: { batch: {}, zone: {}, deployment: { count: 1 } },
  onFailure: { health: 'rollback', other: 'rollback' },
  onUnknown: 'pause',
  capacity: { retryMs: 5_000, holdAfterMs: 60_000 },
  holdLimitMs: 86_400_000,
  parallel: 1_000,
};

export const memberOf = (target: number): MemberRef => ({
  balancer: 'lb',
  pool: 'web',
  member: `web-${target}:80`,
});

export function samplePlan(options: SampleOptions): Plan {
  const { batches, lanes = [], steps = GUARDED, parallel = 100, hasMembers = true } = options;
  const all = [batches, ...lanes];
  const count = all.flat(2).length;
  const batch = (targets: readonly number[], index: number): Batch => ({
    name: `batch ${index + 1}`,
    sequence: 'main',
    targets,
    parallel,
    countsFailures: options.countsFailures ?? true,
  });
  return {
    planSchema: 1,
    verb: options.verb ?? 'deploy',
    hard: false,
    project: 'shop',
    environment: 'prod',
    platform: 'datacenter',
    release: V2,
    releases: { [V1]: release(V1), [V2]: release(V2) },
    targets: Array.from({ length: count }, (_, index) => sampleTarget(index, hasMembers)),
    sequences: { main: steps },
    stages: [
      { name: 'all', lanes: all.map((of, index) => ({ zone: `zone-${index}`, batches: of.map(batch) })) },
    ],
    floors: [poolFloor(options), ...zoneFloors(options)],
    policy: { ...POLICY, ...options.policy },
    ...(options.causedBy && { causedBy: { deployment: deploymentId(options.causedBy), why: 'test' } }),
  };
}

const POOL = { balancer: 'lb', pool: 'web' };

const poolFloor = ({ floor = { count: 0 } }: SampleOptions): PoolFloor => ({ ...POOL, floor });

function zoneFloors({ zoneFloor }: SampleOptions): readonly PoolFloor[] {
  if (!zoneFloor) return [];
  const members = zoneFloor.targets.map((target) => memberOf(target).member);
  return [{ ...POOL, floor: zoneFloor.floor, zone: { name: 'north', members } }];
}

const release = (id: typeof V1) => ({ id, version: id.slice(0, 5), hash: id, artifacts: [] });

function sampleTarget(index: number, hasMembers: boolean): PlanTarget {
  return {
    name: `web-${index}`,
    zone: 'zone-0',
    pool: 'default',
    members: hasMembers ? [memberOf(index)] : [],
    inServiceBefore: true,
    release: V2,
    before: V1,
    facts: {},
  };
}
