import { type KeyboardEvent, memo, useRef } from 'react';
import type { DeploymentView, Overall, TargetView } from '../../../src/api/contract.ts';
import { doneOf } from '../../../src/words/watched.ts';
import { type CellGroup, type Cells, cellsOf, nextCell } from '../charts/cells.ts';
import { signShape } from '../parts/signs.tsx';
import { useWidth } from '../parts/use-width.ts';
import { batchStatus } from './batch-status.ts';

type TargetsProps = {
  readonly view: DeploymentView;
  readonly chosen: number | null;
  readonly onChoose: (index: number | null) => void;
};

/** Every target as a cell, by batch: its status by colour, shape and word. Arrow keys go from one to the next. */
export function Targets({ view, chosen, onChoose }: TargetsProps) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const field = useRef<SVGSVGElement>(null);
  const cells = width > 0 ? cellsOf(view, width) : null;
  const onKey = (event: KeyboardEvent) => {
    if (!cells || event.ctrlKey || event.metaKey) return;
    if (event.key === 'Escape') return onChoose(null);
    const focused = document.activeElement?.getAttribute('data-index');
    const next = nextCell(cells, focused ? Number(focused) : (chosen ?? -1), event.key);
    if (next === null) return;
    event.preventDefault();
    onChoose(next);
    field.current?.querySelector<SVGElement>(`[data-index="${next}"]`)?.focus();
  };
  return (
    <section className="card" aria-labelledby="targets-title">
      <h2 id="targets-title">Targets</h2>
      {/* biome-ignore lint/a11y/useFocusableInteractive: its cells take the focus, one of them at a time */}
      <div ref={frame} role="listbox" aria-label="Targets by batch" onKeyDown={onKey}>
        {cells && (
          <svg ref={field} className="cells" width={cells.width} height={cells.height} role="presentation">
            {cells.groups.map((group, n) => (
              <Group
                key={group.label}
                {...{ group, cells, chosen, onChoose, overall: view.overall }}
                isFirst={n === 0}
              />
            ))}
          </svg>
        )}
      </div>
    </section>
  );
}

type GroupProps = Pick<TargetsProps, 'chosen' | 'onChoose'> & {
  readonly group: CellGroup;
  readonly overall: Overall;
  readonly cells: Cells;
  readonly isFirst: boolean;
};

const Group = memo(function Group({ group, overall, cells, chosen, onChoose, isFirst }: GroupProps) {
  const { batch, label, x: left, y } = group;
  const status = batchStatus(batch, overall);
  return (
    // biome-ignore lint/a11y/useSemanticElements: there is no other group of SVG
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: a g does nothing by itself
    <g role="group" aria-label={`batch ${label}`}>
      <text x={left} y={y + 13} className="group-label">
        {label}{' '}
        <tspan className="dim-text">{`${doneOf(batch.counts)}/${batch.counts.total} ${status}`}</tspan>
      </text>
      {group.cells.map(({ target, x, y: top }, n) => (
        <Cell
          key={target.index}
          {...{ target, x, y: top, cell: cells.cell, onChoose }}
          isChosen={chosen === target.index}
          isEntry={chosen === null ? isFirst && n === 0 : chosen === target.index}
        />
      ))}
    </g>
  );
}, isSameGroup);

/** Of thousands of cells few change at a time. */
function isSameGroup(a: GroupProps, b: GroupProps): boolean {
  const isAlike =
    a.group.batch === b.group.batch &&
    a.group.x === b.group.x &&
    a.group.y === b.group.y &&
    a.cells.width === b.cells.width &&
    a.chosen === b.chosen &&
    a.overall.status === b.overall.status;
  return isAlike && a.group.cells.every(({ target }, n) => target === b.group.cells[n]?.target);
}

type CellProps = {
  readonly target: TargetView;
  readonly x: number;
  readonly y: number;
  readonly cell: Cells['cell'];
  readonly isChosen: boolean;
  /** The one that the Tab key comes to. */
  readonly isEntry: boolean;
  readonly onChoose: (index: number) => void;
};

const Cell = memo(
  function Cell({ target, x, y, cell, isChosen, isEntry, onChoose }: CellProps) {
    const sign = target.parked ? 'parked' : target.status;
    const box = Math.min(16, cell.height);
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field
      <g
        role="option"
        className={`cell is-${sign}`}
        transform={`translate(${x} ${y})`}
        tabIndex={isEntry ? 0 : -1}
        aria-selected={isChosen}
        aria-label={wordsOf(target)}
        data-index={target.index}
        data-status={target.status}
        onClick={() => onChoose(target.index)}
      >
        <title>{wordsOf(target)}</title>
        <rect width={cell.width} height={cell.height} rx={cell.isNamed ? 5 : 3} />
        <svg
          x={cell.isNamed ? 7 : (cell.width - box) / 2}
          y={(cell.height - box) / 2}
          width={box}
          height={box}
          viewBox="0 0 16 16"
          className="shape"
          aria-hidden="true"
        >
          {signShape(sign)}
        </svg>
        {cell.isNamed && (
          <text x={28} y={cell.height / 2 + 4}>
            {target.name}
          </text>
        )}
      </g>
    );
  },
  (a, b) =>
    a.target === b.target &&
    a.x === b.x &&
    a.y === b.y &&
    a.cell.width === b.cell.width &&
    a.isChosen === b.isChosen &&
    a.isEntry === b.isEntry,
);

/** `web-3: running, drain: 4 connections left`. */
function wordsOf({ name, status, parked, step, reason, progress }: TargetView): string {
  const at = status === 'running' || status === 'failed' || status === 'unknown' ? step : null;
  const parts = [`${status}${parked ? ', parked' : ''}`, at ?? '', progress ?? reason ?? ''];
  return `${name}: ${parts.filter((part) => part !== '').join(', ')}`;
}
