import { partName } from '../domain/capacity.ts';
import type { Batch, Budget, Plan, PlanTarget } from '../domain/plan.ts';
import type { Findings } from './findings.ts';
import { isToBeJudged, whyUnmeasured } from './judges.ts';
import { type Part, type Pool, partKey, partsOf, poolName } from './pools.ts';
import type { Note, NoteCode } from './request.ts';

/**
 * What may go wrong with a plan that is allowed all the same. Only what is true of this plan and could be done otherwise; a
 * plain, safe plan has no such note.
 */
export function notesOnRisks(findings: Findings): readonly Note[] {
  return [
    ...notesOnRelease(findings),
    ...notesOnWayBack(findings),
    ...notesOnVersion(findings),
    ...notesOnPace(findings),
    ...notesOnSpare(findings),
    ...notesOnDrains(findings),
    ...notesOnLeftRunning(findings),
    ...notesOnLast(findings),
  ];
}

const note = (code: NoteCode, when: boolean, message: () => string): readonly Note[] =>
  when ? [{ code, message: message() }] : [];

function notesOnRelease({ request: { release } }: Findings): readonly Note[] {
  return note('release_bad', release?.bad !== undefined, () => `The release ${release?.id} is marked bad.`);
}

/** Of targets that serve: where a rollback would go, and whether it can. */
function notesOnWayBack({ request, plan, seen }: Findings): readonly Note[] {
  if (request.verb !== 'deploy') return [];
  const counted = countedTargets(plan);
  // One whose release was forgotten has a note of its own.
  const known = new Set(seen.all.flatMap(({ config, before }) => (before === null ? [] : [config.name])));
  const lost = counted.filter(({ name }) => !known.has(name));
  const bad = new Set(request.releases.filter((release) => release.bad).map(({ id }) => id));
  const toBad = counted.filter(({ before }) => before !== null && bad.has(before));
  return [
    ...note(
      'no_rollback_release',
      lost.length > 0,
      () =>
        `Of ${lost.length} of ${counted.length} targets no release is known that a rollback could return to: ` +
        `${namesOf(lost)}.`,
    ),
    ...note(
      'rollback_to_bad',
      toBad.length > 0,
      () => `A rollback would return to a release that is marked bad: ${namesOf(toBad)}.`,
    ),
  ];
}

function notesOnVersion({ request, settings }: Findings): readonly Note[] {
  const check = settings.health?.check;
  const reads = check?.kind === 'http' && check.version !== undefined;
  return note(
    'version_unverified',
    check !== undefined && !reads && request.verb !== 'restart' && !request.hard,
    () =>
      'The health check does not look which version answers: an old release that goes on running would pass.',
  );
}

const countedBatches = ({ stages }: Plan): readonly Batch[] =>
  stages
    .flatMap(({ lanes }) => lanes.flatMap(({ batches }) => batches))
    .filter(({ countsFailures }) => countsFailures);

const countedTargets = (plan: Plan): readonly PlanTarget[] =>
  countedBatches(plan).flatMap(({ targets }) => targets.flatMap((index) => plan.targets[index] ?? []));

/** How many targets may be under way, or broken, before anybody knows that the release is bad. */
function notesOnPace(findings: Findings): readonly Note[] {
  const { request, plan, isJudged } = findings;
  const batches = countedBatches(plan);
  const total = countedTargets(plan).length;
  if (total < 2 || request.verb === 'rollback') return [];
  const first = Math.max(
    ...firstBatches(plan).map((batch) => Math.min(batch.parallel, batch.targets.length)),
  );
  const widest = Math.max(...batches.map(({ parallel }) => parallel));
  return [
    ...note(
      'no_canary',
      request.verb === 'deploy' && !request.hard && first > 1,
      () => `No canary: the first batch already works on ${first} of ${total} targets at once.`,
    ),
    ...note('canary_unjudged', isToBeJudged(findings) && !isJudged, () => {
      const why = whyUnmeasured(findings.settings);
      return `The canary is not judged: ${why ?? 'no server of it serves now, or none is left of its pools to compare it with'}.`;
    }),
    ...note(
      'large_batch',
      widest * 2 > total,
      () => `${widest} of ${total} targets, more than half, are worked on at once.`,
    ),
    ...note(
      'budget_unspendable',
      failuresUntilStop(plan) >= total,
      () => `The failure budgets let all ${total} targets fail before the deployment stops.`,
    ),
  ];
}

const firstBatches = ({ stages }: Plan): readonly Batch[] =>
  (stages[0]?.lanes ?? []).flatMap(({ batches: [first] }) => (first?.countsFailures ? [first] : []));

/** If every target failed, one after the other: after how many the first budget is spent. */
function failuresUntilStop({ stages, policy: { maxFailures } }: Plan): number {
  const lanes = stages.flatMap((stage) => stage.lanes);
  const sizeOf = (batches: readonly Batch[]) =>
    batches.reduce((sum, { targets, countsFailures }) => sum + (countsFailures ? targets.length : 0), 0);
  const all = sizeOf(lanes.flatMap(({ batches }) => batches));
  let failures = 0;
  for (const { batches } of lanes) {
    let inZone = 0;
    for (const batch of batches.filter(({ countsFailures }) => countsFailures)) {
      const most = Math.min(
        limitOf(maxFailures.batch, batch.targets.length),
        limitOf(maxFailures.zone, sizeOf(batches)) - inZone,
        limitOf(maxFailures.deployment, all) - failures,
      );
      if (most <= batch.targets.length) return failures + most;
      failures += batch.targets.length;
      inZone += batch.targets.length;
    }
  }
  return failures;
}

function limitOf({ count = Infinity, percent }: Budget, size: number): number {
  const share = percent === undefined ? Infinity : Math.max(1, Math.ceil((size * percent) / 100));
  return Math.min(count, share);
}

function notesOnSpare({ request, seen, plan }: Findings): readonly Note[] {
  if (request.hard) return [];
  const planned = new Set(plan.floors.map(partKey));
  const pools = [...seen.pools.values()].filter((pool) => planned.has(partKey(pool)));
  return pools.flatMap((pool) => [
    ...note(
      'pool_of_one',
      pool.configured === 1,
      () => `The pool ${poolName(pool)} has one member only: nothing serves in its place while it changes.`,
    ),
    ...partsOf(pool)
      .filter((part) => planned.has(partKey(part)))
      .flatMap(noteOnSpare),
    ...zonesEmptied(pool, plan).map(
      (zone): Note => ({
        code: 'zone_emptied',
        message: `The pool ${poolName(pool)} spans zones, and its floor lets all of ${zone} be out of it at once.`,
      }),
    ),
  ]);
}

const noteOnSpare = (part: Part): readonly Note[] =>
  note(
    'no_spare',
    part.configured > 1 && part.configured - part.least === 1,
    () =>
      `The floor of ${partName(poolName(part), part.zone?.name)} is ${part.least} of ${part.configured}: one may be out at ` +
      'a time, and once another one dies by itself the deployment waits.',
  );

/** Zones of a pool of several, without a floor of their own, of which a batch may take every member that serves. */
function zonesEmptied(
  { balancer, pool, out, missing, configured, least, zones: kept }: Pool,
  plan: Plan,
): readonly string[] {
  const serving = plan.targets.filter(({ members }) =>
    members.some((ref) => ref.balancer === balancer && ref.pool === pool && !out.has(ref.member)),
  );
  const zones = Map.groupBy(serving, ({ zone }) => zone);
  if (zones.size < 2) return [];
  const lanes = plan.stages.flatMap((stage) => stage.lanes);
  const free = [...zones].filter(([name]) => !kept.some(({ zone }) => zone?.name === name));
  return free.flatMap(([zone, of]) => {
    const batches = lanes.filter((lane) => lane.zone === zone).flatMap((lane) => lane.batches);
    const widest = Math.max(0, ...batches.map(({ parallel }) => parallel));
    return Math.min(widest, configured - missing.size - least) >= of.length ? [zone] : [];
  });
}

/** Of so many drains so many cut connections: then it is no exception any more. */
const OFTEN = 0.1;

function notesOnDrains({ request, settings }: Findings): readonly Note[] {
  const drains = (request.past?.history.here ?? []).filter(({ step }) => step === 'drain');
  const done = drains.reduce((sum, { doneMs }) => sum + doneMs.length, 0);
  const forced = drains.reduce((sum, record) => sum + record.forced, 0);
  const forces = settings.strategy.drain.then === 'force' && !request.hard && !request.reload;
  return note(
    'drain_cuts',
    forces && forced > 0 && forced >= done * OFTEN,
    () =>
      `${forced} of the last ${done} drains here ended with connections cut at the deadline; this plan cuts them too.`,
  );
}

/** What the plan works on while something older may still be at work there, and undo what is verified. */
function notesOnLeftRunning({ request: { past }, plan }: Findings): readonly Note[] {
  const planned = new Set(plan.targets.map(({ name }) => name));
  const left = (past?.leftRunning ?? []).filter(({ target }) => planned.has(target));
  const named = left.slice(0, NAMED).map(({ target, step }) => `${step} on ${target}`);
  return note(
    'may_still_run',
    left.length > 0,
    () =>
      `Nobody has seen the end of ${listed(named, left.length)}: it may still run, and undo what this deployment ` +
      `does there. Look at the hosts first.`,
  );
}

function notesOnLast({ request: { verb, past } }: Findings): readonly Note[] {
  const last = past?.last;
  if (!last || verb === 'rollback') return [];
  const what = `${last.verb}${last.version === null ? '' : ` of ${last.version}`} (${last.id})`;
  const wasRolledBack = last.verb === 'rollback' && last.causedBy !== null;
  if (last.status === 'failed' || last.status === 'aborted')
    return [
      {
        code: 'last_failed',
        message: `The last deployment here, ${what}, ${last.status === 'failed' ? 'failed' : 'was aborted'}.`,
      },
    ];
  return note(
    'last_rolled_back',
    wasRolledBack,
    () =>
      `The last deployment here, ${last.causedBy}, failed and was rolled back${last.version === null ? '' : ` to ${last.version}`}.`,
  );
}

function namesOf(targets: readonly PlanTarget[]): string {
  return listed(
    targets.slice(0, NAMED).map(({ name }) => name),
    targets.length,
  );
}

const NAMED = 8;

const listed = (names: readonly string[], total: number): string =>
  names.join(', ') + (total > names.length ? ` and ${total - names.length} more` : '');
