import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LiveScreen } from './live-screen.ts';

const frame = (...lines: readonly string[]) => ({ plain: lines, painted: lines });

function drawn(frames: readonly (readonly [readonly string[], number])[]): readonly string[] {
  const written: string[] = [];
  const screen = new LiveScreen((text) => written.push(text));
  for (const [lines, columns] of frames) screen.draw(frame(...lines), columns);
  return written;
}

test('the first frame is written below what is there', () => {
  assert.deepEqual(drawn([[['a', 'b'], 80]]), ['\ra\u001b[K\nb\u001b[K\n\u001b[J']);
});

test('the next frame is written over the last one, whose further lines go', () => {
  const [, second] = drawn([
    [['a', 'b', 'c'], 80],
    [['d'], 80],
  ]);
  assert.equal(second, '\u001b[3A\rd\u001b[K\n\u001b[J');
});

test('in a terminal that has become narrower the broken lines are counted', () => {
  const [, second] = drawn([
    [['x'.repeat(50), ''], 80],
    [['d'], 20],
  ]);
  assert.ok(second?.startsWith('\u001b[4A'));
});
