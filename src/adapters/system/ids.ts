import { randomInt } from 'node:crypto';
import { commandId, deploymentId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';

/** Crockford's base 32: no letter that reads like another. In the order of ASCII, so that texts sort like numbers. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_DIGITS = 10; // 50 bits of milliseconds
const COUNTER_DIGITS = 3;
const RANDOM_DIGITS = 7;
const COUNTER_LIMIT = 32 ** COUNTER_DIGITS;

/**
 * Ids of 20 digits: time, a counter within the millisecond, chance. They sort by time, those of one process strictly in the
 * order in which they were made, also when the clock is set back.
 */
export function sortableIds(clock: Pick<Clock, 'now'>): Ids {
  let time = 0;
  let counter = 0;
  const next = (): string => {
    const now = Math.floor(clock.now());
    if (now > time) {
      time = now;
      counter = 0;
    } else {
      counter += 1;
      if (counter === COUNTER_LIMIT) {
        time += 1;
        counter = 0;
      }
    }
    return base32(time, TIME_DIGITS) + base32(counter, COUNTER_DIGITS) + random();
  };
  return { deployment: () => deploymentId(next()), command: () => commandId(next()) };
}

function base32(value: number, digits: number): string {
  let text = '';
  for (let rest = value; text.length < digits; rest = Math.floor(rest / 32)) text = DIGITS[rest % 32] + text;
  return text;
}

const random = (): string => Array.from({ length: RANDOM_DIGITS }, () => DIGITS[randomInt(32)]).join('');
