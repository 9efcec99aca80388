// Runs a set of test files through node:test.
import { join } from 'node:path';
import { run } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { LaneReport } from './report.ts';
import type { Tally } from './tally.ts';

export interface Lane {
  /** `none`: all files in this process. `process`: each file in its own, one at a time. */
  readonly isolation: 'none' | 'process';
  readonly root: string;
  /** Paths from the root. */
  readonly files: readonly string[];
  /** For one test. */
  readonly timeoutMs: number;
}

/** How long this process may stay silent after its last test before we say that something was left open. */
const leakGraceMs = 3_000;

/** Runs the lane to its end, prints what happens and adds it to the tally. */
export async function runLane(lane: Lane, tally: Tally): Promise<void> {
  if (lane.files.length === 0) return;
  const isAlone = lane.isolation === 'process';
  const groupOf = isAlone ? (file: string) => file : topFolders;
  const report = new LaneReport({ root: lane.root, tally, groupOf, print: console.log });
  await (isAlone ? runAlone(lane, report) : runTogether(lane, report));
  report.close();
}

/** A file's process ends with its last test, whatever it left open. The line of a file comes when the next one begins. */
async function runAlone(lane: Lane, report: LaneReport): Promise<void> {
  const events = start(lane, { concurrency: 1, execArgv: ['--test-force-exit'] });
  let current: string | undefined;
  for await (const event of events) {
    if (event.type === 'test:dequeue' && event.data.file !== current) {
      report.close();
      current = event.data.file;
    }
    report.see(event);
  }
}

/** The events end when nothing is left open: a server or timer that a test forgot would keep us here for ever. */
async function runTogether(lane: Lane, report: LaneReport): Promise<void> {
  let openTests = 0;
  let leakTimer: NodeJS.Timeout | undefined;
  const leak = Promise.withResolvers<void>();
  // What this process writes to is open from its beginning to its end.
  void [process.stdout, process.stderr];
  const before = process.getActiveResourcesInfo();
  const onLeak = () => {
    const active = without(process.getActiveResourcesInfo(), before);
    if (active.length === 0) {
      leakTimer = setTimeout(onLeak, leakGraceMs).unref();
      return;
    }
    report.fail('after the last test', `a test left something open: ${active.join(', ')}`);
    leak.resolve();
  };
  const read = async () => {
    for await (const event of start(lane, {})) {
      clearTimeout(leakTimer);
      if (event.type === 'test:enqueue' && event.data.nesting === 0) openTests++;
      if (event.type === 'test:complete' && event.data.nesting === 0) openTests--;
      if (openTests === 0) leakTimer = setTimeout(onLeak, leakGraceMs).unref();
      report.see(event);
    }
    clearTimeout(leakTimer);
  };
  await Promise.race([read(), leak.promise]);
}

/** One of the first list for each of the second. */
function without(all: readonly string[], some: readonly string[]): readonly string[] {
  const rest = [...some];
  return all.filter((name) => {
    const at = rest.indexOf(name);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

function start(lane: Lane, more: Parameters<typeof run>[0]): AsyncIterable<TestEvent> {
  const { isolation, root, files, timeoutMs } = lane;
  return run({ files: files.map((file) => join(root, file)), isolation, timeout: timeoutMs, ...more });
}

/** `src/domain/x.test.ts` counts under `src/domain`. */
const topFolders = (file: string): string => file.split('/').slice(0, -1).slice(0, 2).join('/');
