import type { BatchView, DeploymentView, TargetView } from '../../../src/api/contract.ts';
import { labelOf } from '../../../src/words/batch-label.ts';
import { placeOf } from '../../../src/words/watched.ts';

/** A field of one cell for each target, in groups of batches: where each lies, in pixels. */
export type Cells = {
  readonly width: number;
  readonly height: number;
  /** Of one cell; a wide one has room for the name of its target. */
  readonly cell: { readonly width: number; readonly height: number; readonly isNamed: boolean };
  readonly groups: readonly CellGroup[];
};

export type CellGroup = {
  readonly batch: BatchView;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly cells: readonly {
    readonly target: TargetView;
    readonly x: number;
    readonly y: number;
  }[];
};

const GAP = 4;
const HEAD = 22;
const BETWEEN = 12;
/** Between two groups that stand side by side. */
const ASIDE = 28;
/** Up to so many targets each cell has its name. */
const NAMED = 120;

/** Thousands stay readable: the more there are, the smaller they get. Small batches stand side by side. */
export function cellsOf(
  { batches, targets }: Pick<DeploymentView, 'batches' | 'targets'>,
  width: number,
): Cells {
  const cell = cellFor(targets, width);
  const perRow = Math.max(1, Math.floor((width + GAP) / (cell.width + GAP)));
  const members = Map.groupBy(targets, placeOf);
  const shelf = { x: 0, y: 0, height: 0 };
  const groups = batches.map((batch): CellGroup => {
    const own = members.get(placeOf(batch)) ?? [];
    const label = labelOf(batches, batch);
    const columns = Math.min(perRow, Math.max(1, own.length));
    const rows = Math.ceil(own.length / columns);
    const needs = Math.max(columns * (cell.width + GAP) - GAP, widthOfHead(label));
    if (shelf.x > 0 && shelf.x + needs > width)
      Object.assign(shelf, { x: 0, y: shelf.y + shelf.height + BETWEEN, height: 0 });
    const { x, y } = shelf;
    shelf.x += needs + ASIDE;
    shelf.height = Math.max(shelf.height, HEAD + Math.max(0, rows * (cell.height + GAP) - GAP));
    const cells = own.map((target, n) => ({
      target,
      x: x + (n % columns) * (cell.width + GAP),
      y: y + HEAD + Math.floor(n / columns) * (cell.height + GAP),
    }));
    return { batch, label, x, y, cells };
  });
  return { width, height: shelf.y + shelf.height, cell, groups };
}

/** Its label, and how far it is: `12/40 succeeded`. */
const widthOfHead = (label: string): number => label.length * LETTER + 110;

/** Of a name in it, at 12 px. */
const LETTER = 7;

function cellFor(targets: readonly TargetView[], width: number): Cells['cell'] {
  if (targets.length > NAMED) {
    const side = targets.length > 1_000 ? 14 : 20;
    return { width: side, height: side, isNamed: false };
  }
  const letters = targets.reduce((most, { name }) => Math.max(most, name.length), 0);
  return { width: Math.min(width, Math.max(72, 34 + letters * LETTER), 220), height: 28, isNamed: true };
}

/** The cell that an arrow key leads to from another, by their places on the screen; `null` where the field ends. */
export function nextCell(cells: Cells, from: number, key: string): number | null {
  const all = cells.groups.flatMap((group) => group.cells);
  const at = all.findIndex(({ target }) => target.index === from);
  const here = all[at];
  if (!here) return all[0]?.target.index ?? null;
  if (key === 'ArrowRight') return all[at + 1]?.target.index ?? null;
  if (key === 'ArrowLeft') return all[at - 1]?.target.index ?? null;
  if (key === 'Home') return all[0]?.target.index ?? null;
  if (key === 'End') return all.at(-1)?.target.index ?? null;
  const isDown = key === 'ArrowDown';
  if (!isDown && key !== 'ArrowUp') return null;
  const beyond = all.filter(({ y }) => (isDown ? y > here.y : y < here.y));
  const rowY = isDown ? Math.min(...beyond.map(({ y }) => y)) : Math.max(...beyond.map(({ y }) => y));
  const row = beyond
    .filter(({ y }) => y === rowY)
    .sort((a, b) => Math.abs(a.x - here.x) - Math.abs(b.x - here.x));
  return row[0]?.target.index ?? null;
}
