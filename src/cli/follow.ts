import type { EdgeClient } from '../api/client.ts';
import type { WatchItem } from '../api/contract.ts';
import { asEdgeError, EdgeError } from '../domain/errors.ts';
import type { DeploymentId } from '../domain/ids.ts';
import { OutputLines } from '../words/output-lines.ts';
import {
  advanceView,
  type Expected,
  isAtRest,
  type OutputLine,
  type Watched,
  withOutput,
} from '../words/watched.ts';
import type { Cli } from './context.ts';
import { Mailbox } from './mailbox.ts';
import type { Presenter } from './presenters.ts';

export type FollowOptions = {
  readonly deployment: DeploymentId;
  readonly presenter: Presenter;
  /** Of the plan, if it was asked; else a screen asks for it. */
  readonly forecast?: Expected;
  /** From which event on a log tells. */
  readonly from: 'start' | 'now';
  /** What Ctrl-C does at first: pauses the deployment, or only stops looking. */
  readonly onInterrupt: 'pause' | 'leave';
  /** What to do when Edge has paused it and a person must decide: wait for that, or end. Default: wait. */
  readonly onHold?: 'wait' | 'leave';
  /** How far its log was before the command that is followed: a pause that it had then is not what came of that. */
  readonly after?: number;
  /** The pause that this command ends, by when it would have aborted: as long as it lasts, the command has not had its turn. */
  readonly resumed?: number | null;
  /** The way to wait for a moment that is not the end. */
  readonly until?: (watched: Watched) => boolean;
};

/**
 * `left`: by Ctrl-C, without waiting for anything; `paused`: by Ctrl-C, at a safe point; `held`: paused by Edge, which waits
 * for a decision, or it waits for approvals.
 */
export type Followed = {
  readonly kind: 'ended' | 'reached' | 'paused' | 'held' | 'left';
  readonly watched: Watched;
};

type News =
  | { readonly kind: 'item'; readonly item: WatchItem }
  | { readonly kind: 'output'; readonly lines: readonly OutputLine[] }
  | { readonly kind: 'notice'; readonly text: string | null }
  | { readonly kind: 'pausing' | 'leave' };

/** Shows a deployment until it ends, or until Ctrl-C. Rejects with what the API rejects with. */
export async function follow(cli: Cli, client: EdgeClient, options: FollowOptions): Promise<Followed> {
  const first = await begin(client, options);
  const box = new Mailbox<News>();
  const stop = new AbortController();
  const stopListening = cli.interrupts.listen(interrupter(client, options, box));
  const pumps = [pumpItems(client, first, { box, signal: stop.signal })];
  if (options.presenter.frames)
    pumps.push(pumpOutput(client, options.deployment, { box, signal: stop.signal }));
  try {
    return await show(cli, first, { box, options });
  } finally {
    stopListening();
    stop.abort();
    await Promise.allSettled(pumps);
  }
}

/** How it stands; for a log from the start, as if nothing had happened yet. */
async function begin(
  client: EdgeClient,
  { deployment, presenter, from, forecast }: FollowOptions,
): Promise<Watched> {
  const { deployment: row, view } = await client.deployment({ deployment });
  const unstarted = { ...view, overall: { ...view.overall, version: 0, endedAt: null } };
  const shown = presenter.tells && from === 'start' ? unstarted : view;
  const expected = forecast ?? (presenter.frames && !row.ended ? await forecastOf(client, deployment) : null);
  return { row, view: shown, expected, output: [], notice: null };
}

/** An extra of the screen: without it the deployment is shown all the same. */
async function forecastOf(client: EdgeClient, deployment: DeploymentId): Promise<Expected | null> {
  try {
    return (await client.deploymentForecast({ deployment })).forecast;
  } catch {
    return null;
  }
}

type Showing = { readonly box: Mailbox<News>; readonly options: FollowOptions };

async function show(cli: Cli, first: Watched, { box, options }: Showing): Promise<Followed> {
  const { presenter } = options;
  let watched = first;
  let pausing = false;
  presenter.begin(first);
  while (true) {
    const ending = endingOf(watched, pausing, options);
    if (ending) {
      const last = { ...watched, notice: null };
      presenter.end(last);
      return { kind: ending, watched: last };
    }
    await arrival(cli, box, presenter);
    const news = box.take();
    const before = watched;
    watched = news.reduce(withNews, { ...watched, view: advanceView(watched.view, itemsOf(news)) });
    presenter.show(itemsOf(news), before, watched);
    pausing ||= news.some(({ kind }) => kind === 'pausing');
    if (news.some(({ kind }) => kind === 'leave')) return { kind: 'left', watched };
  }
}

function endingOf(
  watched: Watched,
  pausing: boolean,
  { until, onHold, after = 0, resumed = null }: FollowOptions,
): Followed['kind'] | null {
  const { endedAt, paused, approvals, version } = watched.view.overall;
  if (endedAt !== null) return 'ended';
  if (until?.(watched)) return 'reached';
  // Its approvals are asked for in its first turn: before, nobody could say until when it waits.
  if (approvals?.waits && approvals.abortAt !== null && version > after)
    return onHold === 'leave' ? 'held' : null;
  if (!isAtRest(watched)) return null;
  if (pausing) return 'paused';
  const isNew = version > after && (paused === null || paused.abortAt !== resumed);
  return onHold === 'leave' && isNew && paused?.cause !== 'operator' ? 'held' : null;
}

/** Waits for news; a screen waits a little longer, to show a lot at once, and not for ever, since its times go on. */
async function arrival(cli: Cli, box: Mailbox<News>, { frames }: Presenter): Promise<void> {
  if (!frames) return box.filled;
  const waking = new AbortController();
  await cli.environment.sleep(frames.leastMs);
  await Promise.race([box.filled, cli.environment.sleep(frames.mostMs - frames.leastMs, waking.signal)]);
  waking.abort();
}

const itemsOf = (news: readonly News[]) => news.flatMap((each) => (each.kind === 'item' ? [each.item] : []));

function withNews(watched: Watched, news: News): Watched {
  if (news.kind === 'output') return withOutput(watched, news.lines);
  return news.kind === 'notice' ? { ...watched, notice: news.text } : watched;
}

type Pump = { readonly box: Mailbox<News>; readonly signal: AbortSignal };

async function pumpItems(client: EdgeClient, { row, view }: Watched, { box, signal }: Pump): Promise<void> {
  let broken = false;
  const onBreak = (why: { readonly message: string }) => {
    broken = true;
    box.put({ kind: 'notice', text: `${why.message}; trying again` });
  };
  try {
    const items = client.watchDeployment(
      { deployment: row.id, after: view.overall.version },
      { signal, onBreak },
    );
    for await (const item of items) {
      if (broken) box.put({ kind: 'notice', text: null });
      broken = false;
      box.put({ kind: 'item', item });
    }
    box.fail(new EdgeError('server_unreachable', 'The server ended the stream before the deployment ended'));
  } catch (thrown) {
    if (!signal.aborted) box.fail(thrown);
  }
}

/** Output is an extra of the screen: who may not read it, or when it breaks off, still sees the deployment. */
async function pumpOutput(
  client: EdgeClient,
  deployment: DeploymentId,
  { box, signal }: Pump,
): Promise<void> {
  const lines = new OutputLines();
  try {
    for await (const row of client.followLogs({ deployment }, { signal })) {
      box.put({ kind: 'output', lines: lines.add(row) });
    }
  } catch (thrown) {
    const { code, message } = asEdgeError(thrown);
    if (!signal.aborted && code !== 'permission_denied')
      box.put({ kind: 'output', lines: [{ target: 'edge', step: 'logs', text: message }] });
  }
}

const AGAIN = 'press Ctrl-C again to leave at once';

/** The first Ctrl-C pauses, the second leaves. A pause that is refused says why, and leaves the second press its meaning. */
function interrupter(
  client: EdgeClient,
  { deployment, onInterrupt }: FollowOptions,
  box: Mailbox<News>,
): () => void {
  let pressed = 0;
  const pause = async () => {
    box.put({ kind: 'notice', text: `Pausing: what has been started goes on to its end; ${AGAIN}.` });
    try {
      await client.pause({ deployment, reason: 'Ctrl-C on the command line' });
      box.put({ kind: 'pausing' });
    } catch (thrown) {
      box.put({ kind: 'notice', text: `Not paused: ${asEdgeError(thrown).message}; ${AGAIN}.` });
    }
  };
  return () => {
    pressed += 1;
    if (pressed === 1 && onInterrupt === 'pause') void pause();
    else box.put({ kind: 'leave' });
  };
}
