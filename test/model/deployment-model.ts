/**
 * What Edge promises an operator of one deployment, as rules that can be run. Written apart from the engine and importing
 * nothing of it: where the two differ, one of them is wrong. How targets are chosen and who may start: `place-model.ts`.
 */
export type Verb = 'pause' | 'resume' | 'abort' | 'rollback' | 'retry' | 'skip' | 'resolve';
/** `says`: how a step ended, and whether the person has seen that nothing of it runs. */
export type Order = { readonly verb: Verb; readonly target: string; readonly says?: Says };
export type Says = { readonly as: 'succeeded' | 'failed'; readonly ended: boolean };
export type Answer = 'done' | 'failed' | 'unhealthy' | 'unknown';
export type Refusal = 'deployment_ended' | 'verb_refused' | 'target_active';
export type Status =
  | 'pending'
  | 'running'
  | 'paused'
  | 'succeeded'
  | 'failed'
  | 'skipped'
  | 'aborted'
  | 'unknown';

/** Frozen when the deployment starts. */
export type Plan = {
  readonly verb: 'deploy' | 'restart' | 'rollback';
  readonly release: string | null;
  readonly targets: readonly { name: string; release: string | null; before: string | null }[];
  readonly batches: readonly { names: readonly string[]; atOnce: number }[];
  /** How many targets may be worked on at once. */
  readonly parallel: number;
  readonly maxFailures: number;
  readonly onFailure: { readonly health: Reaction; readonly other: Reaction };
};
export type Reaction = 'pause' | 'rollback' | 'abort';

export type Target = {
  readonly name: string;
  readonly release: string | null;
  readonly before: string | null;
  /** One that is being prepared is `pending` and has a task. */
  status: Status;
  step: number;
  /** Its open task; asked to end because it is `late`, left out (`leaving`), or because of an abort (`ending`). */
  task: 'none' | 'open' | 'late' | 'leaving' | 'ending';
  /** A person has left it out while its step ran. */
  isLeftOut: boolean;
  /** How often people had it tried again. */
  group: number;
  /** Nobody has seen the end of its last step, on the host (`maybe`) or of its worker (`lost`). */
  mayRun: 'no' | 'maybe' | 'lost';
  /** A person has said that it is well. */
  isUnverified: boolean;
  /** The day on which the task got its deadline. */
  since: number;
  /** A step that changes something was begun. */
  touched: boolean;
};
type Stop = { readonly abort: boolean; readonly rollback: boolean; readonly status: 'failed' | 'aborted' };

/** What outlives a deployment: who has members out of service, and what each target is known to run. */
export type Fleet = {
  readonly holds: Map<string, { owner: Deployment; parked: boolean }>;
  readonly placed: Map<string, { release: string; unproven: boolean }>;
  /** A day is longer than every deadline and than a deployment may be paused. */
  today: number;
};

export type Deployment = {
  readonly plan: Plan;
  readonly fleet: Fleet;
  readonly targets: Map<string, Target>;
  readonly causedBy: Deployment | null;
  status: Status;
  stop: Stop | null;
  batch: number;
  pausedOn: number;
  /** Failures since somebody last resumed it, which accepts those before. */
  failures: number;
  accepted: number;
};

export function newDeployment(fleet: Fleet, plan: Plan, causedBy: Deployment | null = null): Deployment {
  const untold = { isLeftOut: false, group: 0, mayRun: 'no', isUnverified: false } as const;
  const fresh = { status: 'pending', step: 0, task: 'none', since: 0, touched: false, ...untold } as const;
  const targets = new Map(plan.targets.map((target) => [target.name, { ...target, ...fresh }]));
  const counters = { batch: -1, pausedOn: 0, failures: 0, accepted: 0 };
  return { plan, fleet, targets, causedBy, status: 'pending', stop: null, ...counters };
}

const CYCLE = ['fetch', 'guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable', 'settle'];
const OF_RELEASE = ['fetch', 'install'];
export const stepsOf = ({ verb }: Plan) =>
  CYCLE.filter((step) => verb !== 'restart' || !OF_RELEASE.includes(step));
const FAILED: readonly Status[] = ['failed', 'unknown', 'aborted'];
export const withStatus = (d: Deployment, ...of: readonly Status[]) =>
  [...d.targets.values()].filter(({ status }) => of.includes(status));
export const hasEnded = ({ status }: Deployment) => ['succeeded', 'failed', 'aborted'].includes(status);

/** Why a verb is refused now. What is refused changes nothing, when it is asked and when its turn comes. */
export function refusal(d: Deployment, order: Order): Refusal | null {
  if (order.verb === 'rollback' && d.plan.verb === 'rollback') return 'verb_refused';
  if (hasEnded(d)) return 'deployment_ended';
  switch (order.verb) {
    case 'abort':
      return null;
    case 'pause':
    case 'rollback':
      return d.stop ? 'verb_refused' : null;
    case 'resume':
      return d.status === 'paused' ? null : 'verb_refused';
    case 'retry':
    case 'skip':
    case 'resolve':
      return refusalOfTarget(d, order);
    default:
      return order.verb satisfies never;
  }
}

/**
 * Only what failed is retried, or has its result set, and only while its batch is open. What is done is not skipped; what is
 * being worked on is, unless all of it is stopping: then what runs ends its step, and what is between two steps has ended.
 */
function refusalOfTarget(d: Deployment, { verb, target: name, says }: Order): Refusal | null {
  const target = d.targets.get(name);
  const status = target ? shown(target) : 'pending';
  if (verb === 'skip') {
    if (status === 'running') return d.stop && target?.task !== 'none' ? 'verb_refused' : null;
    return status === 'succeeded' || status === 'skipped' ? 'verb_refused' : null;
  }
  if (status === 'running') return 'target_active';
  const isOpen = isIn(d, d.batch, name);
  const mayTry = isOpen || (verb === 'retry' && isIn(d, d.batch + 1, name));
  if (!target || !FAILED.includes(status) || d.stop || !mayTry) return 'verb_refused';
  return verb === 'retry' || (says && maySay(d, target, says)) ? null : 'verb_refused';
}

const isIn = ({ plan }: Deployment, batch: number, name: string): boolean =>
  plan.batches[batch]?.names.includes(name) === true;

/** People see that somebody is at it. */
export const shown = ({ status, task }: Target): Status =>
  status === 'pending' && task !== 'none' ? 'running' : status;

/** What balancers show is not a person's to say, nor what a later step reads; nor what may still run, unless they have seen that it does not. */
function maySay(d: Deployment, { status, step, mayRun }: Target, { as, ended }: Says): boolean {
  if (as === 'failed') return status === 'unknown';
  const isOther = ['fetch', 'guard', 'enable'].includes(stepsOf(d.plan)[step] ?? '');
  return !isOther && mayRun !== 'lost' && (mayRun === 'no' || ended);
}

/** Between guard and enable it has members out, which another deployment may have taken over since it failed. */
function isStillTheirs(d: Deployment, { name, step }: Target): boolean {
  const steps = stepsOf(d.plan);
  const hasOut = step > steps.indexOf('guard') && step <= steps.indexOf('enable');
  return !hasOut || d.fleet.holds.get(name)?.owner.targets === d.targets;
}

export function obey(d: Deployment, order: Order): void {
  const target = d.targets.get(order.target);
  if (refusal(d, order) || !target) return;
  if (order.verb === 'pause' && d.status !== 'paused') pause(d);
  if (order.verb === 'resume') {
    const accepted = withStatus(d, ...FAILED).length;
    Object.assign(d, { status: 'running', failures: 0, accepted });
  }
  if (order.verb === 'abort' && !d.stop?.abort) stop(d, { abort: true, rollback: false, status: 'aborted' });
  if (order.verb === 'rollback') stop(d, { abort: false, rollback: true, status: 'failed' });
  if (order.verb === 'retry') {
    const status = isIn(d, d.batch, target.name) ? 'running' : 'pending';
    const again = { status, step: 0, mayRun: 'no', isUnverified: false } as const;
    Object.assign(target, { ...again, group: target.group + 1 });
  }
  if (order.verb === 'skip') skip(d, target);
  if (order.says?.as === 'failed') target.status = 'failed';
  if (order.says?.as === 'succeeded' && isStillTheirs(d, target)) {
    const hold = d.fleet.holds.get(target.name);
    if (hold?.owner.targets === d.targets) hold.parked = false;
    target.isUnverified ||= stepsOf(d.plan)[target.step] === 'verify';
    Object.assign(target, { status: 'running', mayRun: 'no' });
    goOn(d, target);
  }
}

/** What runs is asked to end first. */
function skip(d: Deployment, target: Target): void {
  if (target.task === 'none') leaveOut(d, target);
  else if (!target.isLeftOut)
    Object.assign(target, { task: 'leaving', isLeftOut: true, since: d.fleet.today });
}

function leaveOut(d: Deployment, target: Target): void {
  Object.assign(target, { status: 'skipped', isLeftOut: false });
  park(d, target);
  doubt(d, target);
}

/** What was begun on it may have changed it. */
function doubt({ fleet }: Deployment, { name, touched }: Target): void {
  const placed = fleet.placed.get(name);
  if (placed && touched) placed.unproven = true;
}

const pause = (d: Deployment) => void Object.assign(d, { status: 'paused', pausedOn: d.fleet.today });

/** Nothing new starts, and what is prepared is asked to end; an abort asks that of all that runs. */
function stop(d: Deployment, why: Stop): void {
  Object.assign(d, { status: 'running', stop: why });
  for (const target of d.targets.values()) {
    const isEnded = why.abort || target.status === 'pending';
    if (isEnded && ['open', 'late', 'leaving'].includes(target.task))
      Object.assign(target, { task: 'ending', since: d.fleet.today });
  }
}

/** Only what this deployment has taken out: it stays out, with an owner. Neither a skip nor a failure enables anything. */
function park({ fleet, ...d }: Deployment, { name }: Target): void {
  const hold = fleet.holds.get(name);
  if (hold && hold.owner.targets === d.targets) hold.parked = true;
}

/** A worker reports. What has no open task is not heard. */
export function hear(d: Deployment, name: string, answer: Answer): void {
  const target = d.targets.get(name);
  const task = target?.task ?? 'none';
  if (hasEnded(d) || !target || task === 'none') return;
  target.task = 'none';
  if (answer === 'done') advance(d, target);
  else if (answer === 'unknown') fail(d, target, 'unknown', 'maybe');
  else if (target.isLeftOut) leaveOut(d, target);
  else if (task === 'ending') fail(d, target, 'aborted');
  else fail(d, target, task === 'open' ? answer : 'failed');
}

function advance(d: Deployment, target: Target): void {
  const { holds } = d.fleet;
  const step = stepsOf(d.plan)[target.step];
  if (step === 'guard' && !d.stop && !target.isLeftOut) holds.set(target.name, { owner: d, parked: false });
  if (step === 'enable') holds.delete(target.name);
  goOn(d, target);
}

/** Behind the step that it was at. */
function goOn(d: Deployment, target: Target): void {
  const { name, release, isUnverified } = target;
  target.step += 1;
  if (target.step === stepsOf(d.plan).length) {
    Object.assign(target, { status: 'succeeded', isLeftOut: false });
    if (release !== null) d.fleet.placed.set(name, { release, unproven: isUnverified });
  } else if (target.isLeftOut) leaveOut(d, target);
  else if (d.stop && target.status === 'running') fail(d, target, 'aborted');
}

type How = 'failed' | 'unhealthy' | 'unknown' | 'aborted';

function fail(d: Deployment, target: Target, how: How, mayRun: Target['mayRun'] = 'no'): void {
  Object.assign(target, { status: how === 'unhealthy' ? 'failed' : how, task: 'none', isLeftOut: false });
  target.mayRun = mayRun;
  park(d, target);
  doubt(d, target);
  const counts = d.plan.verb !== 'rollback' && how !== 'aborted';
  if (counts) d.failures += 1;
  if (!counts || d.stop || d.status !== 'running') return;
  const isSpent = d.failures >= d.plan.maxFailures;
  const policy = d.plan.onFailure[how === 'unhealthy' ? 'health' : 'other'];
  const reaction = how === 'unknown' ? 'pause' : isSpent ? policy : 'none';
  if (reaction === 'pause') pause(d);
  if (reaction === 'rollback') stop(d, { abort: false, rollback: true, status: 'failed' });
  if (reaction === 'abort') stop(d, { abort: true, rollback: false, status: 'failed' });
}

/** Deadlines pass: what is late is asked to end; what did not prove in time that it ended is unknown. */
export function passDeadlines(d: Deployment, heard: ReadonlySet<string>): void {
  const due = [...d.targets.values()].filter(({ task, since }) => task !== 'none' && since < d.fleet.today);
  for (const target of due.filter(({ name }) => !heard.has(name))) {
    if (target.task === 'open') Object.assign(target, { task: 'late', since: d.fleet.today });
    else fail(d, target, 'unknown', 'lost');
  }
}

/** What follows by itself once all that was asked is dealt with: holds run out, batches and the deployment begin and end. */
export function settle(d: Deployment): void {
  if (hasEnded(d)) return;
  if (d.status === 'paused' && d.pausedOn < d.fleet.today)
    stop(d, { abort: true, rollback: false, status: 'aborted' });
  if (d.stop) {
    goOut(d, d.stop);
    return;
  }
  if (d.status === 'pending') d.status = 'running';
  const { batches } = d.plan;
  while (d.status === 'running' && d.batch < batches.length && isBatchOver(d)) d.batch += 1;
  if (d.status === 'running' && d.batch === batches.length) finish(d);
  if (!hasEnded(d)) grant(d);
}

/** What is between two steps is left there; what runs ends its step; then the deployment ends. */
function goOut(d: Deployment, { status }: Stop): void {
  for (const target of withStatus(d, 'running')) if (target.task === 'none') fail(d, target, 'aborted');
  const isDone = [...d.targets.values()].every(({ task }) => task === 'none');
  if (isDone && withStatus(d, 'running').length === 0) d.status = status;
}

/** A rollback that leaves targets behind is held, and has failed once a person lets it end. */
function finish(d: Deployment): void {
  const failed = withStatus(d, ...FAILED).length;
  const isRollback = d.plan.verb === 'rollback';
  const isInVain = isRollback || withStatus(d, 'succeeded').length === 0;
  if (isRollback && failed > d.accepted) pause(d);
  else d.status = failed > 0 && isInVain ? 'failed' : 'succeeded';
}

const isBatchOver = (d: Deployment) =>
  !withStatus(d, 'pending', 'running').some(({ name }) => d.plan.batches[d.batch]?.names.includes(name));

/**
 * Started targets go on, also while paused; fresh ones that are prepared follow as far as the batch allows; and meanwhile others are
 * prepared, of the next batch a quarter as many.
 */
function grant(d: Deployment): void {
  const isRunning = d.status === 'running';
  for (const target of isRunning ? waiting(d, d.batch) : []) {
    if (isToPrepare(d, target)) continue;
    const { atOnce = 0 } = d.plan.batches[d.batch] ?? {};
    if (target.task === 'none' && withStatus(d, 'running').length < atOnce) target.status = 'running';
  }
  const prepared = isRunning ? toPrepare(d) : [];
  for (const target of [...withStatus(d, 'running'), ...prepared].filter(({ task }) => task === 'none')) {
    const changes = !['fetch', 'guard'].includes(stepsOf(d.plan)[target.step] ?? '');
    Object.assign(target, { task: 'open', since: d.fleet.today, touched: target.touched || changes });
  }
}

const waiting = (d: Deployment, batch: number): readonly Target[] =>
  (d.plan.batches[batch]?.names ?? [])
    .flatMap((name) => d.targets.get(name) ?? [])
    .filter(({ status }) => status === 'pending');

const isToPrepare = (d: Deployment, { task, step }: Target): boolean =>
  task === 'none' && stepsOf(d.plan)[step] === 'fetch';

/**
 * What is prepared shares what may be worked on at once, one in any case. The two batches of a rollback are
 * stages of their own: what is out comes first, and nothing beside it.
 */
function toPrepare(d: Deployment): readonly Target[] {
  const at = withStatus(d, 'pending').filter(({ task }) => task !== 'none').length;
  const left = d.plan.parallel - withStatus(d, 'running').length - at;
  const room = Math.max(left, at === 0 ? 1 : 0);
  const found: Target[] = [];
  const shares = d.plan.verb === 'rollback' ? [1] : [1, 4];
  for (const [next, share] of shares.entries()) {
    const batch = d.batch + next;
    const most = Math.ceil((d.plan.batches[batch]?.atOnce ?? 0) / share);
    // One that waits again is prepared once its batch is open.
    const first = waiting(d, batch).filter(
      (each) => isToPrepare(d, each) && (next === 0 || each.group === 0),
    );
    for (const target of first) if (at + found.length < most && found.length < room) found.push(target);
  }
  return found;
}

/** Targets that are not on the release, or not verified there, however it ended. */
export const exceptionsOf = (d: Deployment) =>
  d.targets.size - withStatus(d, 'succeeded').filter(({ isUnverified }) => !isUnverified).length;
