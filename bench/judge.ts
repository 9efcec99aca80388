import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CanaryJudge } from '../src/analysis/anytime/canary-judge.ts';
import type { MetricStep } from '../src/analysis/anytime/metric-step.ts';
import type { JudgeRules } from '../src/analysis/anytime/rules.ts';
import { Draws } from '../test/support/draws.ts';

const METRICS = 1_000;
const SERVERS = 20;
const HISTORY = 240;
const DAY = 24 * 60;

const RULES: JudgeRules = {
  metrics: Array.from({ length: METRICS }, (_, index) => ({
    ...{ name: nameOf(index), kind: index % 2 === 0 ? 'gauge' : 'counts', harm: 'more' },
    ...{ isCritical: true, weight: 1, tolerance: 0.02, allowed: 0.25 },
  })),
  ...{ alpha: 0.05, failShare: 0, leastSteps: 3, mostSteps: Number.POSITIVE_INFINITY, staleSteps: 10 },
};

function nameOf(index: number): string {
  return `metric ${index}`;
}

/**
 * What the default judge costs: 1,000 metrics, half of them gauges of 20 pairs of servers and half counts, with 240 minutes of history.
 * `scratchS`: until it stands; `pointMs`: a minute more, of all metrics, and what is said of them, at the median of a day of minutes, and at the
 * 99th of 100; the heap after the first hour and at the end of the day.
 */
export async function benchJudge(args: readonly string[]): Promise<void> {
  const { json } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean', default: false } },
  }).values;
  const draws = new Draws(1);
  const history = Object.fromEntries(
    RULES.metrics.map(({ name }, index) => [
      name,
      Array.from({ length: HISTORY }, () => stepOf(draws, index)),
    ]),
  );
  const began = performance.now();
  const judge = new CanaryJudge(RULES, history);
  const scratchS = (performance.now() - began) / 1_000;
  const times: number[] = [];
  const heapsMb: number[] = [];
  for (let minute = 0; minute < DAY; minute += 1) {
    const steps = Object.fromEntries(RULES.metrics.map(({ name }, index) => [name, stepOf(draws, index)]));
    const at = performance.now();
    judge.add(steps);
    judge.judge();
    times.push(performance.now() - at);
    if (minute === 59 || minute === DAY - 1) heapsMb.push(heapMb());
  }
  times.sort((a, b) => a - b);
  const figures = {
    ...{ metrics: METRICS, servers: SERVERS, scratchS: round(scratchS) },
    ...{ pointMs: round(times[DAY / 2] ?? 0), pointMsAt99: round(times[Math.floor(DAY * 0.99)] ?? 0) },
    ...{ heapMbAfterAnHour: heapsMb[0], heapMbAfterADay: heapsMb[1] },
  };
  if (json) console.log(JSON.stringify(figures));
  else console.table(figures);
}

function stepOf(draws: Draws, index: number): MetricStep {
  if (index % 2 === 1) {
    const count = () => draws.int(0, 12);
    return {
      ...{ kind: 'counts', canary: count(), baseline: count() },
      ...{ canaryExposure: draws.int(900, 1_100), baselineExposure: draws.int(900, 1_100) },
    };
  }
  const value = () => 100 * (1 + 0.1 * draws.normal());
  return {
    kind: 'gauge',
    pairs: Array.from({ length: SERVERS }, () => ({ canary: value(), baseline: value() })),
  };
}

/** After all that nobody holds is gone. */
function heapMb(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return Math.round(process.memoryUsage().heapUsed / 1e6);
}

const round = (value: number): number => Math.round(value * 100) / 100;
