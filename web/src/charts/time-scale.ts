import { type ScaleTime, scaleUtc } from 'd3-scale';

export type Tick = { readonly x: number; readonly label: string };

/** The time that a picture covers, from left to right, in pixels. */
export type TimeAxis = { readonly x: (at: number) => number; readonly ticks: readonly Tick[] };

const TICK_EVERY = 110;

/** Where pictures of one time begin and end, so that they stand exactly below each other. */
export function plotSides(width: number): readonly [number, number] {
  return [Math.round(Math.min(150, width * 0.34)), width - 52];
}

export type Times = { readonly from: number; readonly to: number };

/** Ticks say how long after `from` they are: of a deployment that is what people ask. */
export function timeAxis({ from, to }: Times, range: readonly [number, number]): TimeAxis {
  const [left, right] = range;
  const end = Math.max(to, from + 1_000);
  const scale: ScaleTime<number, number> = scaleUtc()
    .domain([0, end - from])
    .range([left, right]);
  const ticks = scale.ticks(Math.max(2, Math.floor((right - left) / TICK_EVERY)));
  return {
    x: (at) => scale(Math.min(Math.max(at, from), end) - from),
    ticks: ticks.map((tick) => ({ x: scale(tick), label: sinceStart(tick.getTime()) })),
  };
}

/** `0:05`, `12:30`, `1:02:00`. */
export function sinceStart(ms: number): string {
  const tenths = Math.round(ms / 100);
  const seconds = Math.floor(tenths / 10);
  const two = (number: number) => String(number).padStart(2, '0');
  const fraction = tenths % 10 === 0 ? '' : `.${tenths % 10}`;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = `${two(seconds % 60)}${fraction}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
