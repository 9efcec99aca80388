import type { TestContext } from 'node:test';
import { type Load, type LoadReport, startLoad } from '../../src/lab/load.ts';
import { type EdgeEnd, jsonOf } from './edge-process.ts';
import type { Estate } from './estate.ts';
import { POOL } from './estate-configuration.ts';
import { type Observation, startObserver } from './observer.ts';
import { until } from './until.ts';

export type Run = { readonly end: EdgeEnd; readonly load: LoadReport; readonly observed: Observation };

/** Runs a command of the CLI to its end, with requests before, while and after, and somebody who looks from outside. */
export async function underLoad(t: TestContext, estate: Estate, command: readonly string[]): Promise<Run> {
  const url = estate.haproxy.url(POOL);
  const slow = { every: 10, path: '/slow?ms=300' };
  const load = startLoad({ url, ratePerS: 100, slow, timeoutMs: 60_000 });
  const observer = startObserver({
    socket: estate.haproxy.socket,
    backend: POOL,
    appUrls: Object.fromEntries(estate.targets.map(({ name, appUrl }) => [name, appUrl])),
    groups: estate.zones,
    everyMs: 50,
  });
  try {
    await answered(load, 100);
    const end = await estate.edge(...command, '--yes', '--json');
    await answered(load, 100);
    const run = { end, load: await load.stop(), observed: await observer.stop() };
    t.diagnostic(figuresOf(run));
    return run;
  } finally {
    await load.stop();
    await observer.stop();
  }
}

async function answered(load: Load, more: number): Promise<void> {
  const { total } = load.report();
  await until(`${more} more answers`, () => load.report().total >= total + more, 60_000);
}

function figuresOf({ end, load, observed }: Run): string {
  const { deployment } = jsonOf(end) as { deployment?: { createdAt: number; endedAt: number } };
  const seconds = deployment ? (deployment.endedAt - deployment.createdAt) / 1000 : 'no';
  return `${seconds} s; ${load.total} requests, ${load.failed} failed, ${load.notSent} not sent; ${observed.looks} looks, at least ${observed.lowestInService} in service`;
}
