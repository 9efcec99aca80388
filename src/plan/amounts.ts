import type { Floor } from '../domain/capacity.ts';
import type { Amount } from '../domain/fields.ts';

/** An amount as a number of `total`: shares are rounded up, and nothing is more than all. */
export function countOf(amount: Amount, total: number): number {
  const count = typeof amount === 'number' ? amount : Math.ceil((total * shareOf(amount)) / 100);
  return Math.min(count, total);
}

export function floorFrom(amount: Amount): Floor {
  return typeof amount === 'number' ? { count: amount } : { percent: shareOf(amount) };
}

const shareOf = (amount: string) => Number(amount.slice(0, -1));
