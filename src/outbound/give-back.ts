import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export type Collect = (options: { readonly type: 'minor' | 'major' }) => void;

const OFTEN_BYTES = 2_000_000;
/** Of so many looks one is at all of the heap: what waits for a slow host grows old, and is given back by no other. */
const LOOKS = 24;
/** Such looks have this part of the time at most: in a large heap each stops everything for longer, and is worth less. */
const SHARE = 0.05;

/** Told of bytes as they pass; looks at the heap by `collect`, and at the time, in milliseconds, by `now`. */
export function givingBack(collect: Collect, now: () => number): (bytes: number) => void {
  let passed = 0;
  let looks = 0;
  let restsUntil = Number.NEGATIVE_INFINITY;
  return (bytes) => {
    passed += bytes;
    if (passed < OFTEN_BYTES) return;
    passed = 0;
    looks += 1;
    const began = now();
    if (looks < LOOKS || began < restsUntil) return collect({ type: 'minor' });
    looks = 0;
    collect({ type: 'major' });
    const ended = now();
    restsUntil = ended + (ended - began) / SHARE;
  };
}

/**
 * Told of the bytes that have passed in buffers of their own. Those lie outside of the heap, which they hardly fill: left alone, V8 lets
 * a hundred megabytes of them pile up before it looks. A look at the young ones costs about a millisecond, and one at all of them some
 * tens, or hundreds where the heap is large (docs/decisions/0022).
 */
export const givenBack = givingBack(lazily(collector), () => performance.now());

function lazily(make: () => Collect): Collect {
  let made: Collect | undefined;
  return (options) => {
    made ??= make();
    made(options);
  };
}

function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  return typeof gc === 'function' ? (gc as Collect) : () => {};
}
