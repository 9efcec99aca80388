import { EdgeError } from '../domain/errors.ts';
import type { DeploymentId, PlanHash } from '../domain/ids.ts';
import { type ExecRequest, planExec } from '../plan/exec.ts';
import { planHash } from '../plan/hash.ts';
import type { ExecOrder } from '../plan/sequences.ts';
import type { DeploymentRow } from '../ports/views.ts';
import { advanceView } from '../projections/advance-view.ts';
import { type Answer, Answers } from '../projections/answers.ts';
import { initialView } from '../projections/deployment-view.ts';
import { authorize, type Caller } from './caller.ts';
import { mustExist, planOf } from './deployments.ts';
import type { PlaceRequest } from './documents.ts';
import { documentsNow } from './inventory.ts';
import { changedSince, rememberRead } from './inventory-reads.ts';
import type { OperationPorts } from './ports.ts';
import { untilItRests } from './rest.ts';
import type { Watched } from './watch.ts';

export type ExecInput = PlaceRequest &
  ExecOrder & {
    readonly targets?: readonly string[];
    readonly zones?: readonly string[];
    readonly limit?: number;
    readonly batches?: ExecRequest['batches'];
    readonly parallel: number;
    readonly maxFailures?: number;
    readonly reason: string;
    /** Only says on which targets it would run. */
    readonly dryRun: boolean;
    /** What was said of it. */
    readonly planHash?: PlanHash;
  };
export type ExecOutput = {
  /** `null` if it was only asked about. */
  readonly deployment: DeploymentId | null;
  readonly planHash: PlanHash;
  readonly targets: readonly string[];
};

/** Runs a command on targets: beside deployments, since it takes no lock. Throws what `documentsNow` and `planExec` throw, and `plan_changed`. */
export async function exec(ports: OperationPorts, caller: Caller, input: ExecInput): Promise<ExecOutput> {
  authorize(caller, 'host.exec');
  const { argv, cwd, sudoUser, timeoutMs, parallel, batches = ['100%'], reason } = input;
  const order = {
    argv,
    timeoutMs,
    ...(cwd !== undefined && { cwd }),
    ...(sudoUser !== undefined && { sudoUser }),
  };
  const documents = await documentsNow(ports, input);
  const plan = planExec(
    {
      ...documents,
      ...{ order, batches, parallel },
      ...{ targets: input.targets ?? null, zones: input.zones ?? null },
      ...{ limit: input.limit ?? null, maxFailures: input.maxFailures ?? null },
    },
    ports.platform,
  );
  const hash = planHash(plan);
  const targets = plan.targets.map(({ name }) => name);
  if (input.planHash !== undefined && input.planHash !== hash) {
    const changed = await changedSince(ports.records, documents, input.planHash);
    const why = changed ? `: since then, ${changed}` : '';
    throw new EdgeError(
      'plan_changed',
      `It would run on ${targets.length} targets now, or in another way${why}`,
      { where: { path: 'planHash' } },
    );
  }
  await rememberRead(ports, documents, hash);
  if (input.dryRun) return { deployment: null, planHash: hash, targets };
  const id = ports.ids.deployment();
  const created = await ports.journal.create({ id, plan, planHash: hash, by: caller.name, reason });
  if (created.kind !== 'created') throw new EdgeError('internal', `${id} takes no lock, and was refused one`);
  return { deployment: id, planHash: hash, targets };
}

export type AnswersInput = { readonly deployment: DeploymentId; readonly waitMs: number };
export type AnswersOutput = {
  readonly deployment: DeploymentRow;
  /** `null` while it is under way, and was waited for. */
  readonly answers: readonly Answer[] | null;
};

const EVENTS_AT_ONCE = 5_000;
const ROWS_AT_ONCE = 100;
const LIMITS = { shown: 65_536, kept: 8_388_608, read: 268_435_456 };

/**
 * What the targets of a command have answered, once it has ended or waits for a decision, at the latest after `waitMs`: with 0 as it stands
 * now. Throws `deployment_unknown`, `verb_refused`.
 */
export async function answers(
  ports: OperationPorts,
  caller: Caller,
  { input, signal }: Watched<AnswersInput>,
): Promise<AnswersOutput> {
  authorize(caller, 'host.exec');
  const { deployment: id, waitMs } = input;
  const { verb } = await mustExist(ports.views, id);
  if (verb !== 'exec')
    throw new EdgeError('verb_refused', `${id} is a ${verb}, and no command`, {
      hint: `\`edge logs ${id}\` shows what its commands wrote.`,
    });
  const { row, rests } = await untilItRests(ports, { input, signal });
  const isTold = rests || waitMs === 0;
  return {
    deployment: row,
    answers: isTold ? await answersOf(ports, { deployment: id, signal }) : null,
  };
}

type Asked = { readonly deployment: DeploymentId; readonly signal: AbortSignal };

async function answersOf(
  { views }: OperationPorts,
  { deployment, signal }: Asked,
): Promise<readonly Answer[]> {
  const found = new Answers(LIMITS);
  let view = initialView(await planOf(views, deployment));
  for (let isMore = true; isMore; ) {
    const events = await views.events(deployment, view.overall.version, EVENTS_AT_ONCE);
    for (const { event } of events) found.addEvent(event);
    view = advanceView(view, events);
    isMore = events.length === EVENTS_AT_ONCE;
  }
  for (let after = 0; !found.hasReadAll; ) {
    signal.throwIfAborted();
    const rows = await views.output({ deployment, after, limit: ROWS_AT_ONCE });
    for (const row of rows) found.addOutput(row);
    if (rows.length < ROWS_AT_ONCE) break;
    after = rows.at(-1)?.id ?? after;
  }
  return found.grouped(view.targets);
}
