import { listOf } from '../lib/list-of.ts';
import type { Findings } from './findings.ts';
import { partTitle, poolName } from './pools.ts';
import type { Note, NoteCode } from './request.ts';
import { notesOnRisks } from './risks.ts';
import type { Candidate } from './targets.ts';

/** What people should know before they say yes. */
export function notesOf(findings: Findings): readonly Note[] {
  return [
    ...notesOnChecks(findings),
    ...notesOnApprovals(findings),
    ...notesOnPools(findings),
    ...notesOnTargets(findings),
    ...notesOnRisks(findings),
  ];
}

const note = (code: NoteCode, when: boolean, message: () => string): readonly Note[] =>
  when ? [{ code, message: message() }] : [];

const LEFT_OUT = {
  drain:
    'The strategy leaves out guard, drain and enable: servers change under traffic, and no floor is kept.',
  verify: 'The strategy leaves out verify: nothing is verified before a target is returned.',
} as const;

function notesOnChecks({ request, settings, seen, treated }: Findings): readonly Note[] {
  return [
    ...note(
      'unverified',
      request.hard,
      () => 'Hard: nothing is drained or verified, and connections are cut.',
    ),
    ...note(
      'no_health_check',
      !request.hard && settings.health === undefined,
      () =>
        `The project ${settings.project} has no health check: nothing is verified before a target is returned.`,
    ),
    ...(settings.strategy.without ?? []).flatMap((protection) =>
      note('protection_left_out', !request.hard, () => LEFT_OUT[protection]),
    ),
    ...note(
      'no_balancer',
      !request.hard && !request.reload && treated.every(([{ members }]) => members.length === 0),
      () =>
        'No target has a member of a balancer: nothing is drained, and requests fail while a target changes.',
    ),
    ...note(
      'nothing_in_service',
      seen.cold,
      () =>
        'No target is in service: no floor is in the way, and every target that is meant to serve is started.',
    ),
  ];
}

const WHY_UNAPPROVED = {
  returns: 'It only brings back what Edge itself took out of service',
  'goes-back': 'It goes back to a release that fully succeeded here, and that nobody has marked bad',
} as const;

function notesOnApprovals({ request: { unapproved }, settings }: Findings): readonly Note[] {
  const { count = 0 } = settings.policy.approvals ?? {};
  return unapproved && count > 0
    ? note('no_approval_needed', true, () => `${WHY_UNAPPROVED[unapproved]}: it needs no approval.`)
    : [];
}

function notesOnPools({ request, seen, plan, short, capacity }: Findings): readonly Note[] {
  if (request.hard) return [];
  const planned = new Set(plan.floors.map(poolName));
  const unseen = [...seen.pools.values()].filter((pool) => !pool.seen && planned.has(poolName(pool)));
  const reserved = [...seen.pools.values()].filter((pool) => pool.reserve > 0 && planned.has(poolName(pool)));
  const emptied = [
    ...new Set(
      capacity
        .filter(
          ({ zone, configured, before, lowest }) => !zone && configured > 1 && before > 0 && lowest === 0,
        )
        .map(poolName),
    ),
  ];
  return [
    ...unseen.flatMap((pool) =>
      note(
        'pool_unseen',
        true,
        () => `The pool ${poolName(pool)} could not be asked: all its members are taken to be in service.`,
      ),
    ),
    ...reserved.flatMap((pool) =>
      note(
        'pool_reserve',
        true,
        () =>
          `The pool ${poolName(pool)} has ${pool.reserve} members in reserve (a lower priority group): they do not count, and get ` +
          `traffic when too few of the other ${pool.configured} are in service.`,
      ),
    ),
    ...short.flatMap((part) =>
      note(
        'capacity_short',
        true,
        () =>
          `${partTitle(part)} has ${part.configured - part.missing.size} of ${part.configured} members in service and a ` +
          `floor of ${part.least}: the deployment waits until members are back.`,
      ),
    ),
    ...emptied.flatMap((pool) =>
      note(
        'pool_emptied',
        true,
        () =>
          `The pool ${pool} has nothing in service while its last member changes; its floor of 0 allows it.`,
      ),
    ),
  ];
}

function notesOnTargets({ request, treated, plan, seen }: Findings): readonly Note[] {
  const works = treated.filter(([, { kind }]) => kind === 'work').map(([target]) => target);
  const onRelease = treated.filter(
    ([, treatment]) => treatment.kind === 'leave' && treatment.why === 'on-release',
  );
  const parked = works.filter((target) => target.parked);
  const known = new Set(seen.all.map(({ config }) => config.name));
  const left = request.fleet.filter((each) => each.parked && !known.has(each.target));
  const forgotten = works.filter(({ before }) => before !== null && !Object.hasOwn(plan.releases, before));
  return [
    ...notesOnInventory(request, seen),
    ...note(
      'parked_left',
      left.length > 0,
      () =>
        `Parked by Edge, and no targets any more: ${listOf(left.map(({ target }) => target))}. \`edge return\` brings them back.`,
    ),
    ...about(
      'left_alone',
      onRelease.map(([target]) => target),
      'On the release already and left alone (--force reinstalls)',
    ),
    ...(request.hard
      ? about('parked_stays', parked, 'Parked by Edge, and still so afterwards')
      : about('parked_returned', parked, 'Parked by Edge, and returned')),
    ...notesOnOthers(treated),
    ...about(
      'release_forgotten',
      forgotten,
      'The release before is not known any more, so a rollback cannot return',
    ),
  ];
}

function notesOnInventory({ inventory }: Findings['request'], { all }: Findings['seen']): readonly Note[] {
  if (!inventory) return [];
  const { origin, unread } = inventory;
  if (unread === undefined)
    return note(
      'inventory_read',
      true,
      () => `The targets, ${all.length}, are those of ${origin}, as it was when this plan was made.`,
    );
  return note(
    'inventory_unread',
    true,
    () =>
      `The inventory could not be read (${unread}): the targets are reached as the plans say that took them out of service, and zones have no floor of their own.`,
  );
}

function notesOnOthers(treated: Findings['treated']): readonly Note[] {
  const others = treated.flatMap(([target, treatment]) =>
    treatment.kind === 'work' && treatment.other ? [{ target, sequence: treatment.sequence }] : [],
  );
  const stopped = others.filter(({ sequence }) => sequence === 'others-stopped').map(({ target }) => target);
  const started = others.filter(({ sequence }) => !sequence.startsWith('others')).map(({ target }) => target);
  const known = stopped.filter(({ running }) => running === false);
  const unknown = stopped.filter(({ running }) => running === null);
  return [
    ...about('others_new', started, 'New, so started and brought into service at the end'),
    ...about('others_stopped', known, 'Out of service and not running, so installed but not started'),
    ...about(
      'others_running_unknown',
      unknown,
      'Out of service and not known to run, so installed but not started',
    ),
  ];
}

const about = (code: NoteCode, targets: readonly Candidate[], what: string) =>
  note(code, targets.length > 0, () => `${what}: ${namesOf(targets)}.`);

const namesOf = (targets: readonly Candidate[]): string => listOf(targets.map(({ config }) => config.name));
