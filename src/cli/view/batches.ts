import type { BatchView, TargetView } from '../../api/contract.ts';
import { isTerminal } from '../../domain/status.ts';
import { labelOf } from '../../words/batch-label.ts';
import { counted } from '../../words/format.ts';
import { doneOf, placeOf, type Watched } from '../../words/watched.ts';
import { type Line, line, padText, type Span, span, textWidth } from './line.ts';
import { bar, SIGNS, signOf } from './symbols.ts';

const BAR_COLUMNS = 20;

/** One line for each batch with a bar. Batches that do not fit are counted: what has ended first, then what is to come. */
export function batchLines(watched: Watched, rows: number): readonly Line[] {
  const { batches } = watched.view;
  const label = labeller(batches);
  const lineOf = (batch: BatchView) => barLine(batch, label(batch));
  if (batches.length <= rows) return batches.map(lineOf);
  const { first, end } = openWindow(batches, Math.max(1, rows - 2));
  const [before, after] = [first, batches.length - end];
  return [
    ...(before > 0 ? [line(`  … ${counted(before, 'batch', 'batches')} before`, 'dim')] : []),
    ...batches.slice(first, end).map(lineOf),
    ...(after > 0 ? [line(`  … ${counted(after, 'batch', 'batches')} to come`, 'dim')] : []),
  ];
}

/** So many batches around those that are worked on; at the end the last ones. */
function openWindow(batches: readonly BatchView[], size: number): { first: number; end: number } {
  const open = batches.findIndex(({ status }) => !isTerminal(status));
  const wanted = open < 0 ? batches.length : Math.max(0, open - 1);
  const first = Math.min(wanted, batches.length - size);
  return { first, end: first + size };
}

function barLine(batch: BatchView, label: string): Line {
  const { counts, status } = batch;
  const { symbol, tone } = SIGNS[status];
  const notes = [
    counts.active > 0 ? `   ${counts.active} at work` : '',
    counts.failed > 0 ? `   ${counts.failed} failed` : '',
    counts.skipped > 0 ? `   ${counts.skipped} skipped` : '',
  ];
  return [
    span(`  ${symbol} ${label}  `, tone),
    span(bar(BAR_COLUMNS, doneOf(counts), counts.total), counts.failed > 0 ? 'bad' : tone),
    span(`  ${doneOf(counts)} of ${counts.total}${notes.join('')}`),
  ];
}

/** One cell for each target, grouped by batch, wrapped at the width of the screen. */
export function gridLines(watched: Watched, columns: number): readonly Line[] {
  const { batches, targets } = watched.view;
  const label = labeller(batches);
  const members = Map.groupBy(targets, placeOf);
  return [
    ...batches.flatMap((batch) => {
      const { symbol, tone } = SIGNS[batch.status];
      const head = span(`  ${symbol} ${label(batch)}  `, tone);
      return cellLines(head, members.get(placeOf(batch)) ?? [], columns);
    }),
    legend(targets),
  ];
}

function cellLines(head: Span, targets: readonly TargetView[], columns: number): readonly Line[] {
  const indent = textWidth(head.text);
  const size = Math.max(10, columns - indent);
  const cells = targets.map((target) => signOf(target));
  return Array.from({ length: Math.ceil(cells.length / size) }, (_, row) => [
    row === 0 ? head : span(' '.repeat(indent)),
    ...cells.slice(row * size, (row + 1) * size).map((sign) => span(sign.symbol, sign.tone)),
  ]);
}

/** How many lines `gridLines` takes. */
export function gridHeight(watched: Watched, columns: number): number {
  const { batches } = watched.view;
  const head = textWidth(labelOf(batches, batches[0])) + 6;
  const size = Math.max(10, columns - head);
  return batches.reduce((rows, { counts }) => rows + Math.ceil(counts.total / size), 1);
}

function legend(targets: readonly TargetView[]): Line {
  const signs = new Set(targets.map(signOf));
  return [span('    '), ...[...signs].map(({ symbol, word, tone }) => span(`${symbol} ${word}   `, tone))];
}

/** Names of batches, all equally wide, with stage and zone where there are several. */
function labeller(batches: readonly BatchView[]): (batch: BatchView) => string {
  const width = Math.max(0, ...batches.map((batch) => textWidth(labelOf(batches, batch))));
  return (batch) => padText(labelOf(batches, batch), width);
}
