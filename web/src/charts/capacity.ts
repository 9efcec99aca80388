import { scaleLinear } from 'd3-scale';
import { area, curveStepAfter, line } from 'd3-shape';
import type { PoolLane } from '../live/lanes.ts';
import { plotSides, type Tick, type Times, timeAxis } from './time-scale.ts';

/** Members in service over time, as far as this deployment takes them, against the floor. In pixels. */
export type CapacityChart = {
  readonly width: number;
  readonly height: number;
  readonly plotLeft: number;
  readonly linePath: string;
  readonly areaPath: string;
  /** `null`: the floor is not known. */
  readonly floorY: number | null;
  readonly ticks: readonly Tick[];
  readonly levels: readonly { readonly y: number; readonly label: string }[];
  readonly lowest: number;
};

export type CapacityInput = {
  readonly taken: PoolLane['taken'];
  /** How many were in service before. */
  readonly members: number;
  readonly floor: number | null;
  readonly times: Times;
  /** Its end, or this moment. */
  readonly now: number;
  readonly width: number;
};

const HEIGHT = 120;
const HEAD = 20;

export function capacityOf({ taken, members, floor, times, now, width }: CapacityInput): CapacityChart {
  const { from } = times;
  const [plotLeft, plotRight] = plotSides(width);
  const axis = timeAxis(times, [plotLeft, plotRight]);
  const lowest = taken.reduce((least, { out }) => Math.min(least, members - out), members);
  const least = Math.min(floor ?? members, lowest);
  const y = scaleLinear()
    .domain([Math.max(0, least - Math.max(1, (members - least) * 0.25)), members])
    .range([HEIGHT - 6, HEAD + 4]);
  const points = [
    { at: from, inService: members },
    ...taken.map(({ at, out }) => ({ at, inService: members - out })),
  ];
  const last = { at: now, inService: points.at(-1)?.inService ?? members };
  const all = [...points, last].map(({ at, inService }): [number, number] => [axis.x(at), y(inService)]);
  return {
    ...{ width, height: HEIGHT, plotLeft, ticks: axis.ticks },
    linePath: line().curve(curveStepAfter)(all) ?? '',
    areaPath: area().curve(curveStepAfter).y0(HEIGHT)(all) ?? '',
    floorY: floor === null ? null : y(floor),
    levels: levelsOf(members, floor).map((level) => ({ y: y(level), label: String(level) })),
    lowest,
  };
}

const levelsOf = (members: number, floor: number | null): readonly number[] =>
  floor === null || floor === members ? [members] : [members, floor];
