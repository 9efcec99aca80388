import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'minor' | 'major' }) => void;

const OFTEN_BYTES = 2_000_000;
/** Of so many looks one is at all of the heap: what waits for a slow host grows old, and is given back by no other. */
const LOOKS = 24;
let passed = 0;
let looks = 0;
let collect: Collect | undefined;

/**
 * Told of the bytes that have passed in buffers of their own. Those lie outside of the heap, which they hardly fill: left alone, V8 lets
 * a hundred megabytes of them pile up before it looks. A look at the young ones costs about a millisecond, and one at all of them some
 * tens (docs/decisions/0022).
 */
export function givenBack(bytes: number): void {
  passed += bytes;
  if (passed < OFTEN_BYTES) return;
  passed = 0;
  collect ??= collector();
  looks += 1;
  collect({ type: looks % LOOKS === 0 ? 'major' : 'minor' });
}

function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  return typeof gc === 'function' ? (gc as Collect) : () => {};
}
