import { Draw } from '../../src/simulation/draw.ts';

/** Random numbers of a seed for tests of statistics: also normal ones (Box and Muller). */
export class Draws extends Draw {
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}
