import { memberKey } from '../../domain/capacity.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { FAULT_KINDS, type FaultKind, type FaultPart } from '../faults.ts';

type Committed = Extract<Fact, { kind: 'committed' }>;
type Changed = Extract<Fact, { kind: 'member.changed' }>;
type Written = Extract<Fact, { kind: 'member.written' }>;
/** What the log says of a member that a deployment holds. */
type Phase = 'taken' | 'kept' | 'released' | 'returning';

/**
 * I20: what a drain took out stays out until its return begins: one that its balancer put back is out again soon, once nothing
 * is broken. And Edge takes out nobody that no deployment holds, and nobody again whom it has begun to put back: from the grant of
 * the return to its first write, a keeper that has not heard of it may still write. A return that puts a member back as it was
 * found may take it out of service: somebody had done that by hand before, and undone it meanwhile.
 */
export const kept: MakeInvariant = (eyes) => {
  const phases = new Map<string, Phase>();
  /** Kept, and in service all the same, since when. */
  const back = new Map<string, number>();
  /** The write that Edge's next change of a member comes of. */
  let written: Written | undefined;
  const checkBack = (): void => {
    for (const [key, sinceMs] of back) if (phases.get(key) === 'kept') checkSoon(eyes, key, sinceMs);
  };
  return {
    see: (fact) => {
      if (fact.kind === 'committed' && fact.committed.kind === 'committed') follow(eyes, phases, fact);
      if (fact.kind === 'member.changed') {
        const key = memberKey(fact.member);
        const isAsFound = written?.to === 'back' && memberKey(written.member) === key;
        if (fact.by === 'edge' && !isAsFound) checkTaken(eyes, phases.get(key), fact);
        if (fact.after.admin !== 'enabled') back.delete(key);
        else if (phases.get(key) === 'kept') back.set(key, eyes.schedule.nowMs);
      }
      written = fact.kind === 'member.written' ? fact : undefined;
      if (written?.to === 'back') phases.set(memberKey(written.member), 'returning');
      for (const key of back.keys()) if (phases.get(key) !== 'kept') back.delete(key);
      checkBack();
    },
    end: checkBack,
  };
};

function follow({ deployments }: Eyes, phases: Map<string, Phase>, { lease, commit }: Committed): void {
  const plan = deployments.get(lease.deployment)?.plan;
  const membersOf = (target: string) => plan?.targets.find(({ name }) => name === target)?.members ?? [];
  for (const hold of commit.takeHolds)
    if (phases.get(memberKey(hold)) !== 'kept') phases.set(memberKey(hold), 'taken');
  for (const { target, members } of commit.keepOut) {
    for (const member of membersOf(target)) phases.set(memberKey(member), 'released');
    for (const member of members) phases.set(memberKey(member), 'kept');
  }
  for (const { target } of commit.giveHolds)
    for (const member of membersOf(target)) phases.delete(memberKey(member));
}

function checkTaken({ checked, violate }: Eyes, phase: Phase | undefined, fact: Changed): void {
  const { before, after, target, member } = fact;
  if (before.admin !== 'enabled' || after.admin === 'enabled') return;
  checked('I20');
  if (phase === undefined) violate('I20', `${target} was taken out of ${member.pool} and nobody holds it`);
  if (phase === 'returning')
    violate('I20', `${target} was taken out of ${member.pool} again after its return began`);
}

/** What keeps a worker from its looks, or its looks from the device. */
const HINDERS: ReadonlySet<FaultPart> = new Set([
  ...(['store', 'commit', 'bell', 'board', 'crash', 'server'] as const),
  ...(['worker', 'process', 'death', 'balancer'] as const),
]);
const isHindering = (kind: FaultKind): boolean =>
  HINDERS.has(kind.split('.', 1)[0] as FaultPart) && !UNDOING.has(kind);
const UNDOING: ReadonlySet<FaultKind> = new Set<FaultKind>([
  ...(['balancer.forgets-drains', 'balancer.edited', 'balancer.monitor-late'] as const),
]);

/** Two looks at the board and two at the device. */
const WELL_MS = 15_000;
/** A process that died is started again, and the lease of one that nobody proves to be gone has run out. */
const HEALED_MS = 75_000;

function checkSoon({ scenario, schedule, struckAtMs, checked, violate }: Eyes, key: string, sinceMs: number) {
  const canBeHindered = FAULT_KINDS.some((kind) => isHindering(kind) && scenario.strengths[kind]);
  const limitMs = canBeHindered ? Math.max(sinceMs, struckAtMs(HINDERS)) + HEALED_MS : sinceMs + WELL_MS;
  checked('I20');
  if (schedule.nowMs > limitMs)
    violate('I20', `${key} is kept out of service and serves since ${sinceMs / 1_000} s`);
}
