import type { EdgeClient } from '../api/client.ts';
import type { DeploymentRow } from '../api/contract.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Expected, Watched } from '../words/watched.ts';
import type { Cli } from './context.ts';
import { type Followed, follow } from './follow.ts';
import { INTERRUPTED } from './interrupts.ts';
import { type Presenter, presenterOf } from './presenters.ts';
import { waitingLines, waysOn } from './view/ways-on.ts';

export type ConcludeOptions = {
  readonly deployment: DeploymentId;
  readonly forecast?: Expected;
  readonly onInterrupt: 'pause' | 'leave';
  readonly from: 'start' | 'now';
  readonly after?: number;
  readonly resumed?: number | null;
  /** What was wanted is its rollback: then that one's end counts. */
  readonly rollsBack?: boolean;
  /** With `--json`: the end as one value, or every item of the stream. */
  readonly json: 'answer' | 'stream';
};

/**
 * Follows a deployment to its end, and then the rollback that it caused, and says how it went. Where no screen is watched
 * (a pipeline), it ends too when Edge has paused the deployment and waits for a decision. Resolves with the exit status: 0
 * only if the deployment itself succeeded (or the rollback, if that was wanted), 1 if it failed, was aborted or waits for a
 * decision, 130 after Ctrl-C.
 */
export async function conclude(cli: Cli, client: EdgeClient, options: ConcludeOptions): Promise<number> {
  const presenter = presenterOf(cli, options.json);
  const onHold = presenter.frames === null && options.json === 'answer' ? 'leave' : 'wait';
  const followed = await follow(cli, client, { ...options, presenter, onHold });
  const rollback = await followRollback(cli, client, { followed, presenter, onHold });
  const last = rollback ?? followed;
  if (cli.json && options.json === 'answer') cli.jsonLine(await ending(client, followed, rollback));
  if (last.kind === 'paused' || last.kind === 'left') return interrupted(cli, last);
  if (last.kind === 'held') return held(cli, last);
  advise(cli, rollback ? [followed.watched, rollback.watched] : [followed.watched]);
  const counts = options.rollsBack ? last : followed;
  return counts.watched.view.overall.status === 'succeeded' ? 0 : 1;
}

type Before = {
  readonly followed: Followed;
  readonly presenter: Presenter;
  readonly onHold: 'wait' | 'leave';
};

async function followRollback(
  cli: Cli,
  client: EdgeClient,
  { followed, presenter, onHold }: Before,
): Promise<Followed | null> {
  const { rollback } = followed.watched.view.overall;
  if (rollback === null) return null;
  if (!cli.json) cli.say('');
  const onInterrupt = 'leave';
  return follow(cli, client, { deployment: rollback, presenter, from: 'start', onInterrupt, onHold });
}

/** The one JSON value: the deployment as it ended, its rollback, and the targets that are not simply done. */
async function ending(client: EdgeClient, followed: Followed, rollback: Followed | null): Promise<unknown> {
  const rowOf = async ({ watched }: Followed): Promise<DeploymentRow> =>
    (await client.deployment({ deployment: watched.row.id })).deployment;
  const targets = followed.watched.view.targets.filter(
    ({ status, parked, hook }) => parked || (status !== 'succeeded' && !(hook && status === 'pending')),
  );
  return {
    deployment: await rowOf(followed),
    ...(rollback && { rollback: await rowOf(rollback) }),
    targets,
    ...(followed.kind !== 'ended' && { interrupted: followed.kind }),
  };
}

async function interrupted(cli: Cli, { kind, watched }: Followed): Promise<number> {
  const { id } = watched.row;
  const { embedded } = await cli.access();
  if (kind === 'paused') cli.note(`${id} is paused, and nothing of it is being worked on.`);
  else if (embedded)
    cli.note(`Left ${id}. Commands that run on the hosts go on; the next \`edge\` picks them up.`);
  else cli.note(`Left ${id}; the server goes on with it.`);
  const { status } = watched.view.overall;
  if (kind === 'paused' || status === 'paused')
    cli.note(`Go on with \`edge resume ${id}\`, or end it with \`edge abort ${id}\`.`);
  else
    cli.note(
      `Look again with \`edge watch ${id}\`; stop it with \`edge pause ${id}\` or \`edge abort ${id}\`.`,
    );
  return INTERRUPTED;
}

function held(cli: Cli, { watched }: Followed): number {
  const { row, view } = watched;
  const isPaused = view.overall.status === 'paused';
  cli.note(`${row.id} ${isPaused ? 'is paused and waits for a decision: ' : ''}${view.overall.reason}`);
  for (const way of isPaused ? waysOn(watched) : waitingLines(watched)) cli.note(`  ${way}`);
  return 1;
}

/** What to do next, when something is left to do. What the first one parked, the last one may have returned. */
function advise(cli: Cli, watched: readonly Watched[]): void {
  for (const { row, view } of watched) {
    const failed = view.targets.find(({ status }) => status === 'failed' || status === 'unknown');
    if (failed) cli.note(`See what happened: \`edge logs ${row.id} --target ${failed.name}\``);
  }
  const last = watched.at(-1);
  if (last?.view.targets.some(({ parked }) => parked))
    cli.note(`Bring parked targets back: \`edge return ${last.row.project} ${last.row.environment}\``);
}
