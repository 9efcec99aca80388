import type { Role } from './arming.ts';

/** How the deployment goes through its targets while it is crashed. */
export const STRATEGIES = ['batch', 'growing', 'zones'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/**
 * What it takes to come by a point. `operator`: somebody pauses and resumes. `abort`: somebody aborts. `terminate`: the
 * process is told to end. `artifact`: Edge installs the release by itself. `tcp`: health is a TCP look.
 */
export type Needs = 'nothing' | 'operator' | 'abort' | 'terminate' | 'artifact' | 'tcp';

/** A named place in one of the processes. `nth`: which passage of it is struck, by strategy, so that the moments differ. */
export type CrashPoint = {
  readonly name: string;
  readonly role: Role;
  readonly nth: readonly [number, number, number];
  readonly needs: Needs;
};

type Nth = CrashPoint['nth'];
type Place = { readonly role: Role; readonly nth: Nth; readonly needs?: Needs };

const at = (name: string, { role, nth, needs = 'nothing' }: Place): CrashPoint => ({
  ...{ name, role, nth, needs },
});
/** Before a call of a port is made, and after its answer has come. */
const around = (call: string, place: Place): readonly CrashPoint[] =>
  ['before', 'after'].map((side) => at(`${call}:${side}`, place));
/** In the thread of the store: all is written but not committed, and committed but told to nobody. */
const inStore = (operation: string, place: Place): readonly CrashPoint[] =>
  ['written', 'committed'].map((side) => at(`store.${operation}:${side}`, place));

const server = (nth: Nth, needs: Needs = 'nothing'): Place => ({ role: 'server', nth, needs });
const worker = (nth: Nth, needs: Needs = 'nothing'): Place => ({ role: 'worker', nth, needs });

/** Every point that is struck. */
export const POINTS: readonly CrashPoint[] = [
  ...around('journal.create', server([1, 1, 1])),
  ...around('journal.submit', server([1, 2, 1], 'operator')),
  ...around('journal.acquire', server([2, 5, 9])),
  ...around('journal.load', server([1, 1, 1])),
  ...around('journal.read', server([1, 1, 1])),
  ...around('journal.commit', server([1, 5, 9])),
  ...around('journal.release', server([1, 1, 1], 'terminate')),

  ...inStore('create', server([1, 1, 1])),
  ...inStore('submit', server([1, 2, 1], 'operator')),
  ...inStore('acquire', server([1, 4, 8])),
  ...inStore('commit', server([2, 6, 10])),
  ...inStore('release', server([1, 1, 1], 'terminate')),
  ...inStore('claim', server([1, 4, 7])),
  ...inStore('renew', server([1, 3, 5])),
  ...inStore('report', server([2, 5, 8])),
  ...inStore('appendOutput', server([1, 3, 5])),

  ...around('board.claim', worker([2, 5, 8])),
  ...around('board.renew', worker([1, 2, 2])),
  ...around('board.checkpoint', worker([1, 4, 7])),
  ...around('board.report', worker([1, 5, 9])),
  ...around('board.appendOutput', worker([1, 3, 5])),

  ...around('hosts.run', worker([1, 4, 7])),
  at('hosts.run:dispatching', worker([2, 4, 6])),
  at('hosts.run:dispatched', worker([1, 5, 8])),
  at('hosts.run:sent', worker([3, 4, 6])),
  at('hosts.run:claimed', worker([1, 5, 8])),
  at('hosts.run:output', worker([2, 3, 7])),
  at('hosts.run:outputStored', worker([1, 4, 8])),
  ...around('hosts.cancel', worker([1, 1, 2], 'abort')),
  ...around('hosts.upload', worker([1, 2, 3], 'artifact')),

  ...around('balancer.members', worker([2, 6, 9])),
  ...around('balancer.disable', worker([1, 2, 3])),
  ...around('balancer.restore', worker([1, 2, 3])),

  ...around('probe.http', worker([1, 3, 5])),
  ...around('probe.tcp', worker([2, 3, 4], 'tcp')),
];

/** A strike that leaves nobody who could prove that the process is gone. */
export type SilentStrike = {
  readonly point: string;
  readonly nth: number;
  /** `kill`: its successor has another name. `stop`: it is stopped for longer than its lease, and then goes on. */
  readonly act: 'kill' | 'stop';
};

/** What hosts fence goes on once the lease has run out; what a balancer is told, after the quarantine as well. */
export const SILENT_STRIKES: readonly SilentStrike[] = [
  { point: 'board.claim:after', nth: 5, act: 'kill' },
  { point: 'hosts.run:claimed', nth: 2, act: 'kill' },
  { point: 'balancer.disable:after', nth: 2, act: 'kill' },
  { point: 'balancer.restore:before', nth: 1, act: 'kill' },
  { point: 'board.checkpoint:before', nth: 5, act: 'stop' },
  { point: 'board.report:before', nth: 8, act: 'stop' },
  { point: 'board.appendOutput:before', nth: 2, act: 'stop' },
  { point: 'hosts.run:dispatched', nth: 2, act: 'stop' },
  { point: 'balancer.disable:before', nth: 1, act: 'stop' },
  { point: 'balancer.restore:before', nth: 2, act: 'stop' },
  { point: 'journal.commit:before', nth: 6, act: 'stop' },
  { point: 'journal.acquire:after', nth: 5, act: 'stop' },
];
