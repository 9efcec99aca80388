import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import type { InstanceReading, MemberCounts, TrafficReading } from './traffic.ts';

/** What was counted of one side of a canary. */
export type SideTraffic = { readonly errors: number; readonly requests: number };

/** What was counted in a step; `null`: a side has a gap, so that nothing can be compared. */
export type TrafficCounts = { readonly canary: SideTraffic; readonly baseline: SideTraffic } | null;

const packedInstance = z.strictObject({
  instance: z.string(),
  pid: z.number(),
  uptimeMs: z.number(),
  counts: z.string(),
});

/**
 * A reading, as small as can be: of each member `requests.errors` to the base of 36, in the order of the members that were asked about, and `-` for
 * one that was not there. An instance that was silent has its name only.
 */
export const packedReading = z.strictObject({
  atMs: z.number(),
  instances: z.array(z.union([packedInstance, z.strictObject({ instance: z.string() })])),
});
export type PackedReading = DeepReadonly<z.infer<typeof packedReading>>;

const GAP = '-';

export function packReading({ atMs, instances }: TrafficReading, members: readonly string[]): PackedReading {
  const packed = (one: InstanceReading): PackedReading['instances'][number] => {
    const { instance } = one;
    if (one.kind === 'silent') return { instance };
    const { pid, uptimeMs } = one;
    const counts = members.map((name) => packedCounts(one.members.find(({ member }) => member === name)));
    return { instance, pid, uptimeMs, counts: counts.join(' ') };
  };
  return { atMs, instances: instances.map(packed) };
}

/** The same reading, without times. `members`: as when it was packed. */
export function unpackReading(
  { atMs, instances }: PackedReading,
  members: readonly string[],
): TrafficReading {
  const unpacked = (one: PackedReading['instances'][number]): InstanceReading => {
    const { instance } = one;
    if (!('counts' in one)) return { kind: 'silent', instance, why: `${instance} did not answer` };
    const { pid, uptimeMs } = one;
    const counts = one.counts.split(' ');
    const known = members.flatMap((member, at) => countsOf(member, counts[at]));
    return { kind: 'counted', instance, pid, uptimeMs, members: known };
  };
  return { atMs, instances: instances.map(unpacked) };
}

const packedCounts = (counts: MemberCounts | undefined): string =>
  counts ? `${short(counts.requests)}.${short(counts.errors)}` : GAP;

function countsOf(member: string, packed = GAP): readonly MemberCounts[] {
  const counts = pairIn(packed);
  return counts ? [{ member, ...counts }] : [];
}

/** `requests.errors` of the canary and of the baseline, with a bar between them. */
export const packStep = (step: TrafficCounts): string =>
  step
    ? [step.canary, step.baseline].map((side) => `${short(side.requests)}.${short(side.errors)}`).join('|')
    : GAP;

export function unpackStep(packed: string): TrafficCounts {
  const [canary, baseline] = packed.split('|').map(pairIn);
  return canary && baseline ? { canary, baseline } : null;
}

const BASE = 36;
const short = (count: number): string => count.toString(BASE);

function pairIn(packed: string): SideTraffic | undefined {
  const [requests, errors] = packed.split('.').map((digits) => Number.parseInt(digits, BASE));
  return requests === undefined || errors === undefined || Number.isNaN(requests)
    ? undefined
    : { errors, requests };
}

/** A pool that is read in one command. */
export type PoolSize = { readonly members: number; readonly instances: number };

/** 60 million requests of a side in a step, 1.6 million of them errors. */
const STEP_BYTES = 22;
/** 78 thousand million requests of a member since its balancer began, 60 million of them errors. */
const MEMBER_BYTES = 14;
/** With the longest path of a socket. */
const INSTANCE_BYTES = 200;
const POOL_BYTES = 40;

/** A checkpoint has 16 KB. Beside all steps it has the last reading, and at the end the verdict with its metrics. */
const MOST_STEPS_BYTES = 6_600;
const MOST_BYTES = 14_000;

/**
 * Whether so many steps, with the last reading of these pools, are kept from look to look: 300 steps at most; 60 of 200 servers behind four
 * instances, say.
 */
export function fitsIntoCheckpoint(steps: number, pools: readonly PoolSize[]): boolean {
  const readingBytes = pools.reduce(
    (sum, { members, instances }) => sum + POOL_BYTES + instances * (INSTANCE_BYTES + members * MEMBER_BYTES),
    0,
  );
  const stepsBytes = steps * STEP_BYTES;
  return stepsBytes <= MOST_STEPS_BYTES && stepsBytes + readingBytes <= MOST_BYTES;
}
