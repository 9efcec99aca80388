import { type TaskId, taskId } from '../../domain/ids.ts';
import type { Plan } from '../../domain/plan.ts';
import { planHash } from '../../plan/hash.ts';
import type { Eyes, MakeInvariant } from '../eyes.ts';
import type { Fact } from '../facts.ts';
import { CANARY_SECRET } from '../outside.ts';

/**
 * I12: the plan that a deployment began with is the one it ends with. I14: no secret is in anything that is kept. I16: no worker
 * has more tasks than slots, and rows exist only for what may be worked on. I18: Edge met no fault of its own.
 */
export const record: MakeInvariant = (eyes) => {
  const halved = new Set<TaskId>();
  return {
    see: (fact) => {
      if (fact.kind === 'claimed') checkSlots(eyes, fact);
      if (fact.kind === 'report.halved') halved.add(fact.task);
      if (fact.kind === 'committed' && fact.commit.open.length > 0) checkRows(eyes, fact.lease.deployment);
      if (fact.kind === 'committed') checkFaults(eyes, fact, halved);
      if (fact.kind === 'deployment.created') eyes.checked('I18');
      if (fact.kind === 'fault.internal') eyes.violate('I18', `${fact.where}: ${fact.message}`);
    },
    end: () => {
      checkPlans(eyes);
      checkSecrets(eyes);
    },
  };
};

type Committed = Extract<Fact, { kind: 'committed' }>;

/** A step that failed by Edge's own fault, and not by what a worker of another make said of it. */
function checkFaults(eyes: Eyes, { lease, commit }: Committed, halved: ReadonlySet<TaskId>): void {
  for (const event of commit.events) {
    if (event.kind !== 'task.failed' || event.error.code !== 'internal') continue;
    const task = taskId({ deployment: lease.deployment, ...event });
    if (!halved.has(task)) eyes.violate('I18', `${task} failed: ${event.error.message}`);
  }
}

/** As the simulated workers have them. */
export const SLOTS = 16;

type Claimed = Extract<Fact, { kind: 'claimed' }>;

/** What a lost answer has given to a worker stands beside what it asks for next, and is given to it again. */
function checkSlots({ store, checked, violate }: Eyes, { request, tasks }: Claimed): void {
  const { worker, max } = request;
  const sql = `SELECT count(*) AS n FROM tasks WHERE owner = ? AND state = 'claimed'`;
  const n = store.look<{ n: number }>(sql, worker)[0]?.n ?? 0;
  checked('I16');
  if (tasks.length > max) violate('I16', `${worker} asked for ${max} tasks and got ${tasks.length}`);
  if (n > 2 * SLOTS) violate('I16', `${worker} has ${n} tasks and ${SLOTS} slots`);
}

/** What a person has tried again, or sent on, may come on top of what runs side by side; as many more may be prepared. */
function checkRows(eyes: Eyes, id: string): void {
  const rows = eyes.store.look<{ step: string; n: number }>(
    'SELECT step, count(*) AS n FROM tasks WHERE deployment = ? GROUP BY step',
    id,
  );
  const watched = [...eyes.deployments.values()].find((one) => one.id === id);
  if (!watched) return;
  const retried = watched.plan.targets.filter(
    ({ name }) => eyes.retriesOf(watched.id, name) > 0 || watched.byHand.has(name),
  ).length;
  const { policy, sequences, targets } = watched.plan;
  // A hook runs beside what the others may do at once.
  const limit = policy.parallel + retried + targets.filter(({ hook }) => hook).length;
  const steps = Object.values(sequences).flat();
  const preparing = new Set(steps.filter(({ ahead }) => ahead).map((step) => step.id));
  for (const isAhead of [true, false]) {
    const open = rows.reduce((sum, { step, n }) => sum + (preparing.has(step) === isAhead ? n : 0), 0);
    eyes.checked('I16');
    if (open > limit) eyes.violate('I16', `${id} has ${open} open tasks, of at most ${limit}`);
  }
}

function checkPlans({ store, deployments, checked, violate }: Eyes): void {
  const rows = store.look<{ id: string; plan_hash: string; body: string }>(
    'SELECT d.id, d.plan_hash, p.body FROM deployments d JOIN plans p ON p.hash = d.plan_hash',
  );
  const made = new Map([...deployments.values()].map((one) => [one.id as string, one.made]));
  for (const { id, plan_hash, body } of rows) {
    const first = made.get(id);
    if (!first) continue;
    checked('I12');
    if (plan_hash !== first.planHash || planHash(JSON.parse(body) as Plan) !== plan_hash)
      violate('I12', `the plan of ${id} is not the one it was made with`);
  }
}

const TEXTS: readonly (readonly [table: string, column: string])[] = [
  ['events', 'body'],
  ['output', 'body'],
  ['tasks', 'inputs'],
  ['tasks', 'checkpoint'],
  ['inbox', 'body'],
  ['plans', 'body'],
  ['snapshots', 'state'],
  ['deployments', 'reason'],
];

function checkSecrets({ store, checked, violate }: Eyes): void {
  checked('I14');
  for (const [table, column] of TEXTS) {
    const [row] = store.look<{ n: number }>(
      `SELECT count(*) AS n FROM ${table} WHERE instr(${column}, ?) > 0`,
      CANARY_SECRET,
    );
    if ((row?.n ?? 0) > 0) violate('I14', `a secret is in ${table}.${column}`);
  }
}
