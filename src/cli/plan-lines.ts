import type { Output } from '../api/contract.ts';
import { capacityLines } from './view/capacity-lines.ts';
import type { Line } from './view/line.ts';

/** A plan for people: what the server explains of it, its capacity as a picture, and the hash that an approval is bound to. */
export function planLines({ text, hash, explained }: Output<'plan'>): readonly (string | Line)[] {
  const picture = capacityLines(explained);
  return [text.trimEnd(), '', ...(picture.length > 0 ? [...picture, ''] : []), `hash ${hash}`];
}
