import type { Status } from '../../domain/status.ts';
import type { Tone } from './line.ts';

/** Each status as one character and one word: with colours or without, they differ. */
export type Sign = { readonly symbol: string; readonly word: string; readonly tone: Tone };

export const SIGNS: Readonly<Record<Status, Sign>> = {
  pending: { symbol: '·', word: 'not begun', tone: 'dim' },
  running: { symbol: '▸', word: 'at work', tone: 'active' },
  paused: { symbol: '‖', word: 'paused', tone: 'warn' },
  succeeded: { symbol: '✓', word: 'done', tone: 'good' },
  failed: { symbol: '✗', word: 'failed', tone: 'bad' },
  skipped: { symbol: '–', word: 'skipped', tone: 'warn' },
  aborted: { symbol: '■', word: 'aborted', tone: 'bad' },
  unknown: { symbol: '?', word: 'unknown', tone: 'bad' },
};

/** A target that stays out of service until it is returned, whatever its status. */
export const PARKED: Sign = { symbol: 'P', word: 'parked', tone: 'warn' };

export const signOf = (target: { readonly status: Status; readonly parked: boolean }): Sign =>
  target.parked ? PARKED : SIGNS[target.status];

/** A bar of so many columns, filled by `done` of `total`. It is full only when all is done. */
export function bar(columns: number, done: number, total: number): string {
  const filled = total === 0 ? columns : Math.floor((columns * done) / total);
  return '█'.repeat(filled) + '░'.repeat(columns - filled);
}
