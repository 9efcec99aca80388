import type { Watched } from '../../words/watched.ts';
import { batchLines, gridHeight, gridLines } from './batches.ts';
import { bannerLines, headerLines, progressLine } from './header.ts';
import { clipLine, type Line, line, type Span, span, wrapLine } from './line.ts';
import { settled } from './settled.ts';
import { targetLines, tellingLines, waitLines } from './targets.ts';

export type ScreenSize = {
  readonly columns: number;
  /** `Infinity` where nothing is redrawn. */
  readonly rows: number;
};

/** Above this many, a line for each target is no longer read, however high the screen is. */
const MOST_TARGET_LINES = 200;
/** Why something failed is worth some rows, but not the whole screen. */
const MOST_BANNER_ROWS = 3;
const MOST_CELLS = 4_000;

/**
 * The whole screen of a deployment, never higher or wider than the size. Every target has a line of its own if there is
 * room, else one cell, and when there are too many for that, batches are counted; then those that failed or are at work
 * have lines.
 */
export function screenLines(given: Watched, now: number, size: ScreenSize): readonly Line[] {
  const watched = settled(given);
  const top = [
    ...headerLines(watched, now),
    progressLine(watched, size.columns),
    ...bannerLines(watched, now).flatMap((each) => wrapLine(each, size.columns, MOST_BANNER_ROWS)),
  ];
  const output = outputLines(watched, size.rows);
  const room = Math.max(3, size.rows - top.length - output.length - 2);
  const lines = [...top, line(''), ...middle(watched, now, { columns: size.columns, rows: room }), ...output];
  return lines.slice(0, size.rows).map((each) => clipLine(each.map(onOneLine), size.columns));
}

const onOneLine = ({ text, tone }: Span): Span => ({ text: text.replaceAll(/\s/g, ' '), tone });

function middle(watched: Watched, now: number, { columns, rows }: ScreenSize): readonly Line[] {
  const { targets, batches } = watched.view;
  const batchRows = Math.min(batches.length, Math.max(4, Math.floor(rows / 3)));
  if (targets.length <= Math.min(rows - batchRows - 1, MOST_TARGET_LINES)) {
    return [...batchLines(watched, batchRows), line(''), ...targetLines(targets, now)];
  }
  const height = gridHeight(watched, columns);
  const fits = targets.length <= MOST_CELLS && height <= Math.max(3, Math.floor(rows * 0.7));
  const above = fits ? gridLines(watched, columns) : batchLines(watched, batchRows);
  return [...above, ...belowGrid(watched, now, Math.min(rows - above.length - 1, MOST_TARGET_LINES))];
}

function belowGrid({ view: { targets } }: Watched, now: number, rows: number): readonly Line[] {
  if (rows < 2) return [];
  const waits = waitLines(targets, Math.floor(rows / 4));
  const telling = tellingLines(targets, now, rows - waits.length);
  return waits.length + telling.length === 0 ? [] : [line(''), ...waits, ...telling];
}

/** The newest output, where the screen is high enough for it and something is still being done. */
function outputLines({ output, view }: Watched, rows: number): readonly Line[] {
  const most = rows === Number.POSITIVE_INFINITY || rows < 16 ? 0 : Math.min(5, Math.floor(rows / 6));
  if (most === 0 || output.length === 0 || view.overall.endedAt !== null) return [];
  const newest = output.slice(-most);
  return [
    line(''),
    ...newest.map(({ target, step, text }) => [span(`  ${target} ${step} | `, 'dim'), span(text)]),
  ];
}
