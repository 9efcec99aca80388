import type { MemberRef } from '../domain/balancer.ts';
import type { SideTraffic, TrafficCounts } from '../domain/packed-traffic.ts';
import type { MemberCounts } from '../domain/traffic.ts';
import type { Measured, MeasuredServers } from './measured.ts';
import { type MeasuredServer, type ServerPair, type Side, serversOf } from './servers.ts';

/** What servers are behind their balancers, by their names. */
export type ServerMembers = Readonly<Record<string, readonly MemberRef[]>>;

/** What was counted of a member in a step; `undefined`: it has a gap. */
export type CountsOf = (member: MemberRef) => Pick<MemberCounts, 'errors' | 'requests'> | undefined;

/**
 * What was counted of both sides. A server that lacks the count of one of its pools is left out, since nobody knows what it did there; a side of
 * which nothing is left has a gap, and a gap is not zero.
 */
export function trafficOf(
  pairs: readonly ServerPair[],
  members: ServerMembers,
  countsOf: CountsOf,
): TrafficCounts {
  const of = (side: Side): SideTraffic | undefined => {
    const counted = serversOf(pairs, side).flatMap(
      ({ name }) => ofServer(members[name] ?? [], countsOf) ?? [],
    );
    return counted.length === 0 ? undefined : sum(counted);
  };
  const [canary, baseline] = [of('canary'), of('baseline')];
  return canary && baseline ? { canary, baseline } : null;
}

function ofServer(members: readonly MemberRef[], countsOf: CountsOf): SideTraffic | undefined {
  const counted = members.flatMap((member) => countsOf(member) ?? []);
  return members.length > 0 && counted.length === members.length ? sum(counted) : undefined;
}

const sum = (all: readonly SideTraffic[]): SideTraffic => ({
  errors: all.reduce((added, { errors }) => added + errors, 0),
  requests: all.reduce((added, { requests }) => added + requests, 0),
});

/** The server in whose name the counts of a whole side stand: the judge adds up those of a side anyway. */
export const nameOfSide = (pairs: readonly ServerPair[], side: Side): MeasuredServer | undefined =>
  serversOf(pairs, side)[0];

/** As a metric: errors of requests, at each point from the first step of the canary on. `before`: so many points are earlier. */
export function measuredTraffic(
  steps: readonly TrafficCounts[],
  pairs: readonly ServerPair[],
  { before, count }: { readonly before: number; readonly count: number },
): MeasuredServers {
  const at = (point: number, side: Side, of: keyof SideTraffic): number => {
    const counted = steps[point - before]?.[side];
    return counted && counted.requests > 0 ? counted[of] : Number.NaN;
  };
  const points = (side: Side, of: keyof SideTraffic) =>
    Array.from({ length: count }, (_, point) => at(point, side, of));
  const measured = (side: Side): readonly (readonly [string, Measured])[] => {
    const server = nameOfSide(pairs, side);
    return server ? [[server.name, { values: points(side, 'errors'), of: points(side, 'requests') }]] : [];
  };
  return new Map([...measured('canary'), ...measured('baseline')]);
}
