import assert from 'node:assert/strict';
import type { AsyncCommand } from 'fast-check';
import type { Model } from './model.ts';
import type { Place } from './place-model.ts';
import type { RealEdge } from './real-edge.ts';
import { driveBoth } from './world.ts';

/** What is asked, of the model and of Edge. `drives`: whether drivers look at once, or only after what is asked next. */
export type Step = AsyncCommand<Model, RealEdge>;
export type Turn = { readonly drives: boolean };

export async function turn(model: Model, real: RealEdge, { drives }: Turn): Promise<void> {
  if (drives) await driveBoth(model, real);
}

export const late = ({ drives }: Turn) => (drives ? '' : ', unseen');
export const chosen = <T>(from: readonly T[], pick: number): T | undefined =>
  from[pick % Math.max(1, from.length)];

export function placeOf({ places }: Model, pick: number): Place {
  const place = chosen(places, pick);
  assert.ok(place);
  return place;
}
