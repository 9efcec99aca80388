import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sampleView } from '../../../test/support/sample-view.ts';
import { type Cells, cellsOf, nextCell } from './cells.ts';

const boxesOf = ({ groups, cell }: Cells) =>
  groups.flatMap(({ cells }) => cells.map(({ x, y }) => ({ x, y, ...cell })));

const many = (count: number) =>
  cellsOf(sampleView({ batches: [{ name: 'all', targets: '.'.repeat(count) }] }), 800);

describe('cells', () => {
  test('each target has one, within the width, and none lies on another', () => {
    for (const count of [1, 7, 120, 121, 2_000]) {
      const cells = many(count);
      const boxes = boxesOf(cells);
      assert.equal(boxes.length, count);
      assert.ok(
        boxes.every(({ x, width }) => x >= 0 && x + width <= 800),
        `${count} are within the width`,
      );
      assert.ok(
        boxes.every(({ y, height }) => y + height <= cells.height),
        `${count} are within the height`,
      );
      const places = new Set(boxes.map(({ x, y }) => `${x}/${y}`));
      assert.equal(places.size, count, `${count} have places of their own`);
      const [first, second] = boxes;
      if (first && second) assert.ok(second.x >= first.x + first.width || second.y >= first.y + first.height);
    }
  });

  test('few have their names, and thousands fit on a screen', () => {
    assert.equal(many(100).cell.isNamed, true);
    assert.equal(many(2_000).cell.isNamed, false);
    assert.ok(many(2_000).height < 900);
  });

  test('small batches stand side by side, and a large one begins below', () => {
    const batches = [
      { name: 'canary', targets: '+' },
      { name: '10%', targets: '>>' },
      { name: '100%', targets: '.'.repeat(30) },
    ];
    const { groups } = cellsOf(sampleView({ batches }), 700);
    assert.deepEqual(
      groups.map(({ label }) => label),
      ['canary', '10%', '100%'],
    );
    const [canary, tenth, rest] = groups;
    assert.equal(canary?.y, tenth?.y);
    assert.ok((tenth?.x ?? 0) > (canary?.x ?? 0));
    assert.ok((rest?.y ?? 0) > (canary?.y ?? 0));
    assert.equal(rest?.x, 0);
  });

  test('arrow keys lead to the neighbour, and nowhere past the last', () => {
    const cells = cellsOf(sampleView({ batches: [{ name: 'all', targets: '.'.repeat(12) }] }), 800);
    const perRow = new Set(boxesOf(cells).map(({ x }) => x)).size;
    assert.equal(nextCell(cells, -1, 'ArrowRight'), 0);
    assert.equal(nextCell(cells, 0, 'ArrowRight'), 1);
    assert.equal(nextCell(cells, 0, 'ArrowDown'), perRow);
    assert.equal(nextCell(cells, perRow, 'ArrowUp'), 0);
    assert.equal(nextCell(cells, 3, 'End'), 11);
    assert.equal(nextCell(cells, 11, 'ArrowRight'), null);
    assert.equal(nextCell(cells, 0, 'ArrowUp'), null);
    assert.equal(nextCell(cells, 0, 'a'), null);
  });

  test('a deployment without targets has no cell', () => {
    const cells = cellsOf({ batches: [], targets: [] }, 800);
    assert.deepEqual([cells.groups, cells.height], [[], 0]);
    assert.equal(nextCell(cells, -1, 'ArrowRight'), null);
  });
});
