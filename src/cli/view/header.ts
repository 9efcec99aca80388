import { counted, duration, roughly, took, whatOf } from '../../words/format.ts';
import { leftMs } from '../../words/time-left.ts';
import { doneOf, type Watched } from '../../words/watched.ts';
import { type Line, line, span, type Tone } from './line.ts';
import { bar, PARKED, SIGNS, type Sign } from './symbols.ts';
import { waitingLines, waysOn } from './ways-on.ts';

/** What deployment it is, how it stands, how long it has taken and may still take. */
export function headerLines(watched: Watched, now: number): readonly Line[] {
  const { row, view } = watched;
  const { status } = view.overall;
  const sign = SIGNS[status];
  return [
    [
      span(`${row.project} → ${row.environment}`, 'strong'),
      span(`   ${whatOf(row)}   `),
      span(`${sign.symbol} ${status}`, sign.tone),
      span(`   ${timesOf(watched, now)}`),
    ],
    line(
      `${row.id} · by ${row.by}${row.causedBy === null ? '' : ` · because of ${row.causedBy}`}${approvedBy(watched)}${stageOf(watched)}`,
      'dim',
    ),
  ];
}

function approvedBy({ view: { overall } }: Watched): string {
  const { given, promoted } = overall.approvals ?? { given: [], promoted: null };
  const by = given.length > 0 ? ` · approved by ${given.map((one) => one.by).join(', ')}` : '';
  return promoted ? `${by} · promoted by ${promoted.by}: ${promoted.reason}` : by;
}

function stageOf({ view: { overall, batches } }: Watched): string {
  const stages = Math.max(0, ...batches.map(({ stage }) => stage + 1));
  const open = batches.find(({ stage }) => stage === overall.stage);
  return open && stages > 1 ? ` · stage ${overall.stage + 1} of ${stages}: ${open.stageName}` : '';
}

function timesOf(watched: Watched, now: number): string {
  const { startedAt, endedAt, status } = watched.view.overall;
  if (startedAt === null) return 'not started yet';
  if (endedAt !== null) return `in ${took(endedAt - startedAt)}`;
  const elapsed = duration(now - startedAt);
  const left = status === 'running' ? leftMs(watched, now) : null;
  if (left === null) return elapsed;
  const [soon, late] = [roughly(left.p50Ms), roughly(left.p90Ms)];
  return `${elapsed}, ${soon === late ? soon : `${soon} to ${late.replace('about ', '')}`} left`;
}

/** One bar for all targets, and each status that occurs with its count. */
export function progressLine({ view: { overall, targets } }: Watched, columns: number): Line {
  const { counts } = overall;
  const done = doneOf(counts);
  const parked = targets.filter((target) => target.parked).length;
  const failed = counts.failed > 0 ? 'bad' : 'good';
  return [
    span(bar(Math.max(10, Math.min(40, Math.floor(columns / 3))), done, counts.total), failed),
    span(`  ${done} of ${counts.total}`, 'strong'),
    ...count(SIGNS.succeeded, counts.succeeded),
    ...count(SIGNS.running, counts.active),
    ...count(SIGNS.failed, counts.failed),
    ...count(SIGNS.skipped, counts.skipped),
    ...count(PARKED, parked),
  ];
}

const count = ({ symbol, word, tone }: Sign, number: number): Line =>
  number === 0 ? [] : [span(`   ${symbol} ${number} ${word}`, tone)];

/** What people must know before anything else: why it does not go on, or how it ended. */
export function bannerLines(watched: Watched, now: number): readonly Line[] {
  const { view, notice } = watched;
  const { overall } = view;
  const { status, paused, stopping, reason, approvals } = overall;
  const lines: Line[] = [];
  if (notice !== null) lines.push(line(notice, 'warn'));
  if (paused) {
    lines.push(line(`paused by ${paused.by}: ${reason}`, 'warn'));
    lines.push(...waysOn(watched).map((way) => line(`  ${way}`, 'dim')));
    lines.push(line(`  else it aborts by itself in ${duration(paused.abortAt - now)}`, 'dim'));
  }
  if (approvals?.waits) {
    lines.push(line(reason === '' ? 'waits for approvals' : reason, 'warn'));
    lines.push(...waitingLines(watched).map((way) => line(`  ${way}`, 'dim')));
    if (approvals.abortAt !== null)
      lines.push(line(`  else it aborts by itself in ${duration(approvals.abortAt - now)}`, 'dim'));
  }
  if (stopping) {
    const next = stopping.next === 'rollback' ? 'a rollback follows' : 'nothing new is started';
    const ends = stopping.abort ? ', running commands are being ended' : '';
    lines.push(line(`stopping: ${reason}; ${next}${ends}`, 'warn'));
  }
  if (overall.endedAt !== null) lines.push(...endLines(overall, SIGNS[status].tone));
  return lines;
}

function endLines(overall: Watched['view']['overall'], tone: Tone): readonly Line[] {
  const { status, reason, exceptions, notes, rollback } = overall;
  return [
    ...(reason === '' ? [] : [line(`${status}: ${reason}`, tone)]),
    ...(exceptions > 0 && status === 'succeeded'
      ? [line(`${counted(exceptions, 'target')} not on the release`, 'warn')]
      : []),
    ...(notes.length > 0 ? [line(`notes: ${notes.join(', ')}`, 'warn')] : []),
    ...(rollback === null ? [] : [line(`rolled back by ${rollback}`, 'warn')]),
  ];
}
