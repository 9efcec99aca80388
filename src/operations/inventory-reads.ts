import type { PlanHash } from '../domain/ids.ts';
import type { TargetConfig } from '../domain/project-environment.ts';
import type { InventoryRead } from '../domain/records.ts';
import { hashOf } from '../lib/hash.ts';
import { listOf } from '../lib/list-of.ts';
import type { Documents } from '../plan/settings.ts';
import type { Records } from '../ports/records.ts';
import type { PlaceRequest } from './documents.ts';
import type { OperationPorts } from './ports.ts';

/**
 * What inventories gave, kept so that people can be told what has changed since they read a plan, and what `edge status` is
 * about. No plan is ever made of it.
 */

const MOST_READS = 4;
const MOST_PLANS = 20;
/** A list that was seen again is not written again sooner. */
const FRESH_MS = 60_000;
const TRIES = 3;
const DIGEST = 8;

const keyOf = ({ project, environment }: PlaceRequest): string => `${project}/${environment}`;

/** The last list that this inventory gave; `null` where it never did. */
export async function lastRead(
  records: Records,
  place: PlaceRequest,
  origin: string,
): Promise<InventoryRead | null> {
  const [last] = (await records.get('inventory-read', keyOf(place)))?.value.reads ?? [];
  return last?.origin === origin ? last : null;
}

/** Keeps what was read, and the plan that was made of it. Where others write at the same time, theirs may be what stays. */
export async function rememberRead(
  { records, clock }: OperationPorts,
  { projectEnvironment, inventory }: Documents,
  plan?: PlanHash,
): Promise<void> {
  if (!inventory) return;
  const { origin } = inventory;
  const key = keyOf(projectEnvironment);
  const targets = digestsOf(projectEnvironment.targets);
  for (let tries = 0; tries < TRIES; tries += 1) {
    const kept = await records.get('inventory-read', key);
    const reads = withRead(kept?.value.reads ?? [], { at: clock.now(), origin, targets }, plan);
    if (reads === null) return;
    const value = { reads };
    const change = { kind: 'inventory-read', key, value, expected: kept?.version ?? 0 } as const;
    if ((await records.apply([change])).kind === 'applied') return;
  }
}

/** `null`: nothing of it is new. */
function withRead(
  reads: readonly InventoryRead[],
  seen: Omit<InventoryRead, 'plans'>,
  plan: PlanHash | undefined,
): readonly InventoryRead[] | null {
  const isSame = (read: InventoryRead) => read.origin === seen.origin && sameList(read.targets, seen.targets);
  const before = reads.find(isSame);
  const plans = before?.plans ?? [];
  const isKnown = plan === undefined || plans.includes(plan);
  if (before !== undefined && before === reads[0] && isKnown && seen.at - before.at < FRESH_MS) return null;
  const now = { ...seen, plans: isKnown ? plans : [plan, ...plans].slice(0, MOST_PLANS) };
  return [now, ...reads.filter((read) => read !== before)].slice(0, MOST_READS);
}

type Digests = InventoryRead['targets'];

const digestsOf = (targets: readonly TargetConfig[]): Digests =>
  targets.map((target) => [target.name, hashOf(target).slice(0, DIGEST)]);

/** Of all that an inventory said of its targets. */
export const listDigest = ({ projectEnvironment }: Documents): string =>
  hashOf(digestsOf(projectEnvironment.targets));

const sameList = (a: Digests, b: Digests): boolean =>
  a.length === b.length && a.every(([name, digest], at) => b[at]?.[0] === name && b[at]?.[1] === digest);

/** What is other in the inventory than when this plan was made of it, in words; `null` where nothing is, or nobody knows. */
export async function changedSince(
  records: Records,
  { projectEnvironment }: Documents,
  plan: PlanHash,
): Promise<string | null> {
  const reads = (await records.get('inventory-read', keyOf(projectEnvironment)))?.value.reads ?? [];
  const then = reads.find(({ plans }) => plans.includes(plan));
  return then ? changeIn(then, projectEnvironment.targets) : null;
}

/** What is other in these targets than in those of a read, in words; `null` where nothing is. */
export function changeIn(then: InventoryRead, targets: readonly TargetConfig[]): string | null {
  const before = new Map(then.targets);
  const now = new Map(digestsOf(targets));
  const came = [...now.keys()].filter((name) => !before.has(name));
  const went = [...before.keys()].filter((name) => !now.has(name));
  const other = [...now].flatMap(([name, digest]) =>
    before.has(name) && before.get(name) !== digest ? [name] : [],
  );
  const parts = [
    ...(came.length > 0 ? [`${listOf(came)} came into the inventory`] : []),
    ...(went.length > 0 ? [`${listOf(went)} left the inventory`] : []),
    ...(other.length > 0 ? [`the inventory says something else of ${listOf(other)}`] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}
