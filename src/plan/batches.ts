import type { Amount } from '../domain/fields.ts';
import type { InlineStrategy } from '../domain/strategy.ts';
import { countOf } from './amounts.ts';

/** Targets of a lane that change together, by index into the plan. */
export type Slot = { readonly name: string; readonly targets: readonly number[] };

/**
 * Cuts the targets of a lane into a canary and batches, in order (DESIGN.md section 5). A list of amounts is cumulative:
 * so many are done after each batch, the canary counted in; what is left after the last comes as `rest`. One amount is
 * the size of every batch. Empty batches are dropped.
 */
export function cutLane(
  targets: readonly number[],
  canary: Amount,
  batches: InlineStrategy['batches'],
): readonly Slot[] {
  const first = countOf(canary, targets.length);
  const marks =
    typeof batches === 'object' ? growing(batches, targets.length) : even(batches, first, targets.length);
  let done = 0;
  const slots: Slot[] = [];
  for (const { name, upTo } of [{ name: 'canary', upTo: first }, ...marks]) {
    if (upTo > done) slots.push({ name, targets: targets.slice(done, upTo) });
    done = Math.max(done, upTo);
  }
  return slots;
}

type Mark = { readonly name: string; readonly upTo: number };

function growing(amounts: readonly Amount[], total: number): readonly Mark[] {
  const marks = amounts.map((amount) => ({ name: markName(amount), upTo: countOf(amount, total) }));
  return [...marks, { name: 'rest', upTo: total }];
}

const markName = (amount: Amount) => (typeof amount === 'number' ? `up to ${amount}` : amount);

function even(amount: Amount, start: number, total: number): readonly Mark[] {
  const size = Math.max(1, countOf(amount, total));
  const length = Math.ceil((total - start) / size);
  return Array.from({ length }, (_, index) => ({
    name: `batch ${index + 1}`,
    upTo: Math.min(total, start + size * (index + 1)),
  }));
}
