import type { StoredEvent } from '../domain/event.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { isTerminal } from '../domain/status.ts';
import { WATCH_TOPIC } from '../domain/topics.ts';
import type { DeploymentRow, OutputRow, TaskRow } from '../ports/views.ts';
import { followView } from '../projections/advance-view.ts';
import type { BatchView, Overall, TargetView } from '../projections/deployment-view.ts';
import { authorize, type Caller } from './caller.ts';
import { type LogsInput, loadView, mustExist, mustSee, type OneDeployment } from './deployments.ts';
import type { OperationPorts } from './ports.ts';
import type { StatusInput } from './status.ts';

/**
 * What is watched as it happens. Each looks whether it may and can,
 * then gives an iterable that reads the store when it is asked for more, so a slow reader holds
 * nothing up and nothing piles up for it. The bell only saves waiting: a missed ring costs half a second.
 */

const LOOK_MS = 500;
const AT_ONCE = 500;

export type WatchItem =
  | ({ readonly kind: 'event' } & StoredEvent & {
        readonly overall: Overall;
        readonly targets: readonly TargetView[];
        readonly batches: readonly BatchView[];
      })
  | { readonly kind: 'progress'; readonly targets: readonly Progress[] };
type Progress = Pick<TargetView, 'index' | 'progress' | 'worker'>;

/** What is asked, and until when: the signal aborts when nobody reads any more. */
export type Watched<I> = { readonly input: I; readonly signal: AbortSignal };

/** Each event after `after` with what looks different after it, and between them progress. Ends after `deployment.ended`. */
export async function watchDeployment(
  ports: OperationPorts,
  caller: Caller,
  watched: Watched<WatchInput>,
): Promise<AsyncGenerator<WatchItem>> {
  authorize(caller, 'deployment.read');
  await mustSee(ports.views, caller, watched.input.deployment);
  return watchedItems(ports, watched);
}

export type WatchInput = OneDeployment & { readonly after?: number };

async function* watchedItems(
  ports: OperationPorts,
  { input, signal }: Watched<WatchInput>,
): AsyncGenerator<WatchItem> {
  const { deployment, after = 0 } = input;
  const start = await loadView(ports.views, deployment, after);
  const indexes = new Map(start.targets.map(({ name, index }) => [name, index]));
  const follow = followView(start);
  let { overall } = start;
  let shown = new Map<number, Progress>();
  while (!signal.aborted) {
    const events = await ports.views.events(deployment, overall.version, AT_ONCE);
    for (const event of events) {
      const changed = follow(event);
      overall = changed.overall;
      yield { kind: 'event', ...event, ...changed };
    }
    if (isTerminal(overall.status)) return;
    if (events.length === AT_ONCE) continue;
    const seen = progressOf(indexes, await ports.views.tasks(deployment));
    const news = [...seen.values()].filter((each) => !isSame(shown.get(each.index), each));
    shown = seen;
    if (news.length > 0) yield { kind: 'progress', targets: news };
    await ports.bell.wait(WATCH_TOPIC, LOOK_MS, signal);
  }
}

function progressOf(indexes: ReadonlyMap<string, number>, tasks: readonly TaskRow[]): Map<number, Progress> {
  const open = tasks.flatMap(({ target, progress, worker }) => {
    const index = indexes.get(target);
    return index === undefined ? [] : [[index, { index, progress, worker }] as const];
  });
  return new Map(open);
}

const isSame = (a: Progress | undefined, b: Progress) => a?.progress === b.progress && a?.worker === b.worker;

/** Output as it comes; ends when the deployment has ended and nothing came for two looks. */
export async function followLogs(
  ports: OperationPorts,
  caller: Caller,
  watched: Watched<FollowInput>,
): Promise<AsyncGenerator<OutputRow>> {
  authorize(caller, 'logs.read');
  await mustSee(ports.views, caller, watched.input.deployment);
  return outputRows(ports, watched);
}

export type FollowInput = Omit<LogsInput, 'limit'>;

async function* outputRows(
  ports: OperationPorts,
  { input, signal }: Watched<FollowInput>,
): AsyncGenerator<OutputRow> {
  let after = input.after ?? 0;
  let quiet = 0;
  while (!signal.aborted && quiet < 2) {
    const { ended } = await mustExist(ports.views, input.deployment);
    const rows = await ports.views.output({ ...input, after, limit: AT_ONCE });
    yield* rows;
    after = rows.at(-1)?.id ?? after;
    quiet = ended && rows.length === 0 ? quiet + 1 : 0;
    if (rows.length < AT_ONCE) await ports.bell.wait(WATCH_TOPIC, LOOK_MS, signal);
  }
}

export type OverviewItem =
  | { readonly kind: 'snapshot'; readonly deployments: readonly DeploymentRow[] }
  | { readonly kind: 'changed'; readonly deployment: DeploymentRow };

const SHOWN = 200;

/** The newest deployments, then each one whose version changed (contract C16). Never ends by itself. */
export async function overview(
  ports: OperationPorts,
  caller: Caller,
  watched: Watched<StatusInput>,
): Promise<AsyncGenerator<OverviewItem>> {
  authorize(caller, 'status.read');
  return overviewItems(ports, watched);
}

async function* overviewItems(
  ports: OperationPorts,
  { input, signal }: Watched<StatusInput>,
): AsyncGenerator<OverviewItem> {
  const look = () => ports.views.deployments({ ...input, limit: SHOWN });
  const deployments = await look();
  yield { kind: 'snapshot', deployments };
  let known = versionsOf(deployments);
  while (!signal.aborted) {
    await ports.bell.wait(WATCH_TOPIC, LOOK_MS, signal);
    const rows = await look();
    for (const row of rows)
      if (known.get(row.id) !== row.streamVersion) yield { kind: 'changed', deployment: row };
    known = versionsOf(rows);
  }
}

const versionsOf = (rows: readonly DeploymentRow[]): ReadonlyMap<DeploymentId, number> =>
  new Map(rows.map(({ id, streamVersion }) => [id, streamVersion]));
