import type { TargetView } from '../../api/contract.ts';
import { counted, duration } from '../../words/format.ts';
import { type Line, line, padText, span, textWidth } from './line.ts';
import { SIGNS, signOf } from './symbols.ts';

const WIDEST_COLUMN = 32;
/** Wide enough for the usual steps, so that the times beside them stand still. */
const PLACE_COLUMNS = 10;

/** One line for each target: where it is, for how long, and why it waits or failed. */
export function targetLines(targets: readonly TargetView[], now: number): readonly Line[] {
  const names = columnOf(targets.map(({ name }) => name));
  const steps = Math.max(PLACE_COLUMNS, columnOf(targets.map(placeText)));
  return targets.map((target) => {
    const { symbol, tone } = signOf(target);
    const since = target.status === 'running' && target.since !== null ? elapsed(now - target.since) : '';
    const why = reasonOf(target);
    return [
      span(`  ${symbol} `, tone),
      span(`${padText(target.name, names)}  `),
      span(padText(placeText(target), steps), tone),
      span(`  ${since.padStart(7)}`, 'dim'),
      span(why === '' ? '' : `  ${why}`, target.status === 'failed' ? 'bad' : 'plain'),
    ];
  });
}

/** Nothing under a second: most steps are done before it is worth a number. */
const elapsed = (ms: number) => (ms < 1_000 ? '' : duration(ms));

const columnOf = (texts: readonly string[]) => Math.min(WIDEST_COLUMN, Math.max(0, ...texts.map(textWidth)));

/** The step that is done, or that it ended at; before and after the steps, the status. */
function placeText({ status, step, attempt }: TargetView): string {
  const { word } = SIGNS[status];
  if (status === 'running')
    return step === null ? 'next step' : `${step}${attempt > 1 ? ` (try ${attempt})` : ''}`;
  return step === null || status === 'succeeded' || status === 'pending' ? word : `${word} at ${step}`;
}

function reasonOf({ reason, progress, parked, status, byHand }: TargetView): string {
  const texts = [progress, reason].filter((text) => text !== null && text !== '');
  if (parked) texts.push('stays out of service until it is returned');
  return status === 'succeeded' ? (byHand ?? '') : texts.join('; ');
}

/**
 * Those targets that people want to see when there is no room for all: failed and parked ones, then those at work, each as
 * they stand in the plan. The last line says how many more there are.
 */
export function tellingLines(targets: readonly TargetView[], now: number, rows: number): readonly Line[] {
  const telling = targets.filter(isTelling).sort((a, b) => urgency(a) - urgency(b) || a.index - b.index);
  if (rows < 1 || telling.length === 0) return [];
  if (telling.length <= rows) return targetLines(telling, now);
  const more = counted(telling.length - rows + 1, 'more target');
  return [...targetLines(telling.slice(0, rows - 1), now), line(`  … and ${more} like these`, 'dim')];
}

const isTelling = ({ status, parked }: TargetView) =>
  parked || (status !== 'pending' && status !== 'succeeded');

function urgency({ status, parked }: TargetView): number {
  if (status === 'failed' || status === 'unknown' || status === 'aborted') return 0;
  if (parked) return 1;
  return status === 'running' || status === 'paused' ? 2 : 3;
}

/** Why targets wait, each reason once with how many it holds up. */
export function waitLines(targets: readonly TargetView[], rows: number): readonly Line[] {
  const waiting = targets.filter(({ status, reason }) => status === 'running' && reason !== null);
  const groups = Map.groupBy(waiting, ({ reason }) => reason ?? '');
  return [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, rows)
    .map(([reason, members]) => line(`  ${counted(members.length, 'target')}: ${reason}`, 'warn'));
}
