import type { Event } from '../../domain/event.ts';
import { type DeploymentId, parseTaskId, type TaskId } from '../../domain/ids.ts';
import type { Batch, Plan } from '../../domain/plan.ts';
import type { Eyes, MakeInvariant, Watched } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { judgesOf } from '../measuring.ts';
import { type Told, wrongVerdict } from './verdicts.ts';

/** What judges the canary of a lane, and what of that lane comes behind it. */
type Judge = {
  readonly index: number;
  readonly stage: number;
  readonly lane: number;
  readonly batch: number;
  readonly behind: ReadonlySet<string>;
  /** It has passed, or what it said may pass, or a person has left it out or set its result. */
  isOver: boolean;
  readonly canary: ReadonlySet<string>;
  /** When Edge last changed a server of the canary, virtual ms. */
  changedAtMs: number;
};
type Judged = { readonly judges: readonly Judge[]; stage: number };

/**
 * I21: nothing of a lane that comes behind its canary changes before its judge is done, by its verdict or by the word of a person; what it says
 * follows from what its source had; it decides once, and what it decided on is in its log once.
 */
export const canaries: MakeInvariant = (eyes) => {
  const known = new Map<DeploymentId, Judged>();
  const decided = new Map<TaskId, string>();
  const of = (watched: Watched | undefined): Judged | undefined => {
    if (!watched) return undefined;
    const judged = known.get(watched.id) ?? { judges: judgesIn(watched.plan), stage: -1 };
    known.set(watched.id, judged);
    return judged;
  };
  return {
    see: (fact) => {
      if (fact.kind === 'deployment.created') checkPolicy(eyes, fact.made.plan);
      if (fact.kind === 'claimed') checkDecided(eyes, decided, fact);
      if (fact.kind === 'command.started' || fact.kind === 'member.changed') checkChange(eyes, of, fact);
      if (fact.kind !== 'committed' || fact.committed.kind !== 'committed') return;
      const watched = eyes.deployments.get(fact.lease.deployment);
      const judged = of(watched);
      if (!watched || !judged || judged.judges.length === 0) return;
      for (const event of fact.commit.events) follow({ eyes, watched, judged, decided }, event);
    },
    end: () => checkLogs(eyes),
  };
};

function judgesIn(plan: Plan): readonly Judge[] {
  const judges = new Set(judgesOf(plan));
  return plan.stages.flatMap(({ lanes }, stage) =>
    lanes.flatMap(({ batches }, lane) =>
      batches.flatMap(({ targets: [index] }, batch) => {
        if (index === undefined || !judges.has(index)) return [];
        const named = (some: typeof batches) =>
          new Set(some.flatMap(({ targets }) => targets.map((target) => nameIn(plan, target))));
        const canary = named(batches.filter(isCanary));
        const behind = named(batches.filter((one) => !isCanary(one)));
        return [{ index, stage, lane, batch, canary, behind, isOver: false, changedAtMs: 0 }];
      }),
    ),
  );
}

const isCanary = ({ name }: Batch): boolean => name.startsWith('canary');
const nameIn = ({ targets }: Plan, index: number): string => targets[index]?.name ?? '';

/** The policy of a plan with a judge is what people wrote, but for what may pass. */
function checkPolicy(eyes: Eyes, plan: Plan): void {
  if (plan.verb !== 'deploy' || judgesOf(plan).length === 0) return;
  const written = eyes.scenario.policy.onFailure as Readonly<Record<string, string | undefined>>;
  const { canary = 'rollback', unsure = 'pause', noData = 'pause' } = written;
  eyes.checked('I21');
  for (const [verdict, how] of Object.entries({ canary, unsure, noData })) {
    const planned: string | undefined = plan.policy.onFailure[verdict as 'canary' | 'unsure' | 'noData'];
    if ((planned ?? 'continue') !== how)
      eyes.violate('I21', `a plan has ${planned} for ${verdict}, and its policy ${how}`);
  }
}

type Changed = Extract<Fact, { kind: 'command.started' | 'member.changed' }>;

const CHANGES: ReadonlySet<string> = new Set(['stop', 'start', 'reload', 'change']);

/** What prepares a target changes nothing of it that anybody sees; what is kept out was taken out before. */
const movesOn = (eyes: Eyes, fact: Changed): boolean =>
  fact.kind === 'command.started'
    ? CHANGES.has(fact.what)
    : fact.by === 'edge' && fact.after.admin !== 'enabled' && !eyes.isKept(fact.member);

function checkChange(eyes: Eyes, of: (watched: Watched | undefined) => Judged | undefined, fact: Changed) {
  if (!movesOn(eyes, fact)) return;
  const active = eyes.activeOf(fact.target);
  for (const judge of of(active)?.judges ?? []) {
    const { canary, behind, isOver, index } = judge;
    if (canary.has(fact.target)) judge.changedAtMs = eyes.schedule.nowMs;
    if (!behind.has(fact.target)) continue;
    eyes.checked('I21');
    if (!isOver)
      eyes.violate('I21', `${fact.target} is changed before ${active?.plan.targets[index]?.name} is done`);
  }
}

type Following = {
  readonly eyes: Eyes;
  readonly watched: Watched;
  readonly judged: Judged;
  readonly decided: Map<TaskId, string>;
};

function follow(following: Following, event: Event): void {
  const { eyes, watched, judged } = following;
  if (event.kind === 'stage.opened') judged.stage = event.stage;
  if (event.kind === 'batch.opened')
    for (const judge of judged.judges)
      if (isAt(judged, judge, event) && event.batch > judge.batch && !judge.isOver)
        eyes.violate('I21', `${watched.id} goes on before its canary is judged`);
  const judge = 'target' in event && judged.judges.find(({ index }) => index === event.target);
  if (judge) ofJudge(following, judge, event);
}

const isAt = ({ stage }: Judged, judge: Judge, { lane }: Extract<Event, { kind: 'batch.opened' }>): boolean =>
  judge.stage === stage && judge.lane === lane;

function ofJudge(following: Following, judge: Judge, event: Event): void {
  const { eyes, watched } = following;
  switch (event.kind) {
    case 'task.succeeded':
      judge.isOver = true;
      checkVerdict(following, judge, { event, told: event.outputs as Partial<Told> });
      return;
    case 'task.failed':
      checkFailed(following, judge, event);
      return;
    case 'target.skipped':
      if (event.by === 'engine' || event.by === '')
        eyes.violate('I21', `${watched.id} goes on without its judge, and nobody wanted it`);
      judge.isOver = true;
      return;
    case 'task.resolved':
      if (event.as === 'succeeded') judge.isOver = true;
      return;
    default:
  }
}

const TOLD_AS = { canary: 'fail', unsure: 'unsure', 'no-data': 'no data' } as const;

function checkFailed(
  following: Following,
  judge: Judge,
  event: Extract<Event, { kind: 'task.failed' }>,
): void {
  const { cause, evidence } = event.error;
  if (cause !== 'canary' && cause !== 'unsure' && cause !== 'no-data') return;
  const told = (evidence ?? {}) as Partial<Told>;
  if (told.verdict !== TOLD_AS[cause])
    following.eyes.violate('I21', `${cause} is told with the verdict ${told.verdict}`);
  checkVerdict(following, judge, { event, told });
}

type Verdict = {
  readonly event: Extract<Event, { kind: 'task.succeeded' | 'task.failed' }>;
  readonly told: Partial<Told>;
};

function checkVerdict({ eyes, watched, decided }: Following, judge: Judge, { event, told }: Verdict): void {
  const { verdict, from, stepMs, steps, at } = told;
  // A worker of another make says a part of it.
  if (!verdict || from === undefined || stepMs === undefined || steps === undefined || at === undefined)
    return;
  const whole: Told = { verdict, from, stepMs, steps, at };
  eyes.checked('I21');
  const say = (wrong: string | undefined): void => {
    if (wrong !== undefined) eyes.violate('I21', `${watched.id}, ${verdict}: ${wrong}`);
  };
  const before = decided.get(`${watched.id}/${event.target}/${event.step}/${event.group}` as TaskId);
  say(before !== undefined && before !== keyOf(whole) ? `it had decided ${before} before` : undefined);
  const isPassed = event.kind === 'task.succeeded';
  const { unsure, noData } = watched.plan.policy.onFailure;
  const passes = { pass: true, fail: false, unsure: unsure === undefined, 'no data': noData === undefined };
  say(passes[verdict] === isPassed ? undefined : `it is ${isPassed ? '' : 'not '}taken for passed`);
  say(wrongVerdict(eyes, watched, { told: whole, judge: judge.index, changedAtMs: judge.changedAtMs }));
}

const keyOf = ({ verdict, from, steps, at }: Told): string =>
  `${verdict} from ${from}, ${steps} steps, at ${at}`;

/** Whoever takes over finds what was decided, and decides nothing else. */
function checkDecided(
  eyes: Eyes,
  decided: Map<TaskId, string>,
  { tasks }: Extract<Fact, { kind: 'claimed' }>,
): void {
  for (const { task, action, checkpoint } of tasks) {
    if (!action.startsWith('canary.judge@')) continue;
    const found = (checkpoint as { readonly decided?: { readonly verdict: Told } | null } | null)?.decided;
    if (!found) continue;
    const now = keyOf(found.verdict);
    const before = decided.get(task) ?? now;
    decided.set(task, before);
    eyes.checked('I21');
    if (before !== now) eyes.violate('I21', `${task} had decided ${before}, and now ${now}`);
  }
}

/** The samples that a verdict was based on: each line of a log is of another server or time. */
function checkLogs({ store, deployments, checked, violate }: Eyes): void {
  const rows = store.look<{ task: TaskId; body: string }>(
    `SELECT task, body FROM output WHERE body LIKE 'time,metric,%' OR body LIKE '%,canary,%' OR body LIKE '%,baseline,%' ORDER BY id`,
  );
  for (const [task, pieces] of Map.groupBy(rows, (row) => row.task)) {
    const { deployment, target } = parseTaskId(task);
    const plan = deployments.get(deployment)?.plan;
    if (!plan || !judgesOf(plan).includes(target)) continue;
    const lines = pieces
      .flatMap(({ body }) => body.split('\n'))
      .filter((line) => line !== '')
      .map((line) => line.split(',').slice(0, 4).join());
    checked('I21');
    if (new Set(lines).size < lines.length) violate('I21', `${task} has written its samples twice`);
  }
}
