/** What an instance of a balancer has counted of a member since its process began. */
export type MemberCounts = {
  readonly member: string;
  /** That ended, well or not. */
  readonly requests: number;
  /**
   * Of those: answered with a status of 500 or more, or not at all (no connection, an answer that broke off or could not be read), or
   * given to another member because this one failed.
   */
  readonly errors: number;
  /** Left out where it has answered nothing yet. */
  readonly times?: AnswerTimes;
};

/** Averages of its last answers (of HAProxy some 1,000), not of a stretch of time. `responseMs`: until the head of the answer. */
export type AnswerTimes = {
  readonly queueMs: number;
  readonly connectMs: number;
  readonly responseMs: number;
  readonly totalMs: number;
};

/** `pid` and `uptimeMs` tell one process from the next. A member that it does not have is left out. */
export type InstanceReading =
  | {
      readonly kind: 'counted';
      readonly instance: string;
      readonly pid: number;
      readonly uptimeMs: number;
      readonly members: readonly MemberCounts[];
    }
  | { readonly kind: 'silent'; readonly instance: string; readonly why: string };

/** The counters of all instances of a balancer at one moment, for some members of a pool. Plain data, so that it outlives who took it. */
export type TrafficReading = { readonly atMs: number; readonly instances: readonly InstanceReading[] };

/**
 * What was counted between two readings, over all instances that can tell. A member that is not among `members` has a gap, which is neither zero nor
 * a fall. `missing`: why the counts of an instance are in none of them; where it is not empty, the step is a part.
 */
export type TrafficStep = {
  readonly members: readonly MemberCounts[];
  readonly missing: readonly string[];
};

/**
 * A counter that has begun again, or fallen, tells nothing of the time between, and what an instance counted while it was silent is not put
 * into a later step. Both readings are to be of the same members.
 */
export function trafficBetween(before: TrafficReading, after: TrafficReading): TrafficStep {
  const names = new Set([...before.instances, ...after.instances].map(({ instance }) => instance));
  const elapsedMs = after.atMs - before.atMs;
  const parts = [...names].map((name) =>
    partBetween(readingOf(before, name), readingOf(after, name), elapsedMs),
  );
  return {
    members: together(parts.flatMap((part) => ('members' in part ? [part.members] : []))),
    missing: parts.flatMap((part) => ('why' in part ? [part.why] : [])),
  };
}

const readingOf = ({ instances }: TrafficReading, name: string): InstanceReading =>
  instances.find(({ instance }) => instance === name) ?? {
    ...{ kind: 'silent', instance: name, why: `${name} was not asked` },
  };

type Part = { readonly members: readonly MemberCounts[] } | { readonly why: string };
type Counted = Extract<InstanceReading, { kind: 'counted' }>;

function partBetween(before: InstanceReading, after: InstanceReading, elapsedMs: number): Part {
  if (before.kind === 'silent') return { why: before.why };
  if (after.kind === 'silent') return { why: after.why };
  if (!isSameProcess(before, after, elapsedMs)) return { why: `${after.instance} has begun again` };
  const pairs = after.members.flatMap((member) => {
    const earlier = before.members.find((known) => known.member === member.member);
    return earlier ? [{ earlier, member }] : [];
  });
  if (pairs.some(({ earlier, member }) => hasFallen(earlier, member)))
    return { why: `${after.instance} has set its counters to zero` };
  return { members: pairs.map(({ earlier, member }) => countedSince(earlier, member)) };
}

/** Uptimes are whole seconds, and the clocks of two workers may differ. */
const TOLERANCE_MS = 5_000;

/** In a container every process has the same id, and uptime tells. */
function isSameProcess(before: Counted, after: Counted, elapsedMs: number): boolean {
  const grownMs = after.uptimeMs - before.uptimeMs;
  return before.pid === after.pid && Math.abs(grownMs - elapsedMs) <= TOLERANCE_MS;
}

const hasFallen = (before: MemberCounts, after: MemberCounts): boolean =>
  after.requests < before.requests || after.errors < before.errors;

/** Times are those of answers, and some of them have to be of this step. */
function countedSince(before: MemberCounts, { member, times, ...after }: MemberCounts): MemberCounts {
  const [requests, errors] = [after.requests - before.requests, after.errors - before.errors];
  return { member, requests, errors, ...(times && requests > errors && { times }) };
}

/** The sums for the members that all instances have: one that is missing somewhere would seem to have had less to do. */
function together(instances: readonly (readonly MemberCounts[])[]): readonly MemberCounts[] {
  const [first = []] = instances;
  return first.flatMap(({ member }) => {
    const all = instances.flatMap((members) => members.filter((known) => known.member === member));
    return all.length === instances.length ? [sumOf(member, all)] : [];
  });
}

function sumOf(member: string, all: readonly MemberCounts[]): MemberCounts {
  const total = (of: (counts: MemberCounts) => number) => all.reduce((sum, counts) => sum + of(counts), 0);
  const timed = all.flatMap(({ times, requests, errors }) =>
    times ? [{ times, weight: requests - errors }] : [],
  );
  const weights = timed.reduce((sum, { weight }) => sum + weight, 0);
  const mean = (of: (times: AnswerTimes) => number) =>
    timed.reduce((sum, { times, weight }) => sum + of(times) * weight, 0) / weights;
  const times = {
    queueMs: mean(({ queueMs }) => queueMs),
    connectMs: mean(({ connectMs }) => connectMs),
    responseMs: mean(({ responseMs }) => responseMs),
    totalMs: mean(({ totalMs }) => totalMs),
  };
  const counts = { requests: total(({ requests }) => requests), errors: total(({ errors }) => errors) };
  return { member, ...counts, ...(weights > 0 && { times }) };
}
