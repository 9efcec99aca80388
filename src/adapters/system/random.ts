import { randomBytes, randomInt } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

/** The system's own source of unpredictable bytes. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count) };

/** From 0 to 1, to spread what many do at once. */
export const systemFraction = (): number => randomInt(2 ** 32) / 2 ** 32;
