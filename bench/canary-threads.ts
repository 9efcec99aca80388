import { Worker } from 'node:worker_threads';
import type { Alarms, Lot } from './canary-thread.ts';

const ENTRY = new URL('./canary-thread.ts', import.meta.url);

type Work = {
  readonly threads: number;
  readonly onDone: (lot: Lot, alarms: Alarms) => void;
};

/** Has all lots done by so many threads, in about their order. */
export async function inThreads(lots: readonly Lot[], { threads, onDone }: Work): Promise<void> {
  const left = [...lots];
  await Promise.all(Array.from({ length: Math.min(threads, lots.length) }, () => oneThread(left, onDone)));
}

/** A thread that is fed until nothing is left. `left` is taken from by all threads. */
function oneThread(left: Lot[], onDone: Work['onDone']): Promise<void> {
  const thread = new Worker(ENTRY);
  let lot: Lot | undefined;
  const feed = (): void => {
    lot = left.shift();
    if (lot) thread.postMessage(lot);
    else void thread.terminate();
  };
  const ended = new Promise<void>((resolve, reject) => {
    thread.on('error', (error) => {
      left.length = 0;
      reject(error);
    });
    thread.on('exit', () => (lot ? reject(new Error('a thread ended before its time')) : resolve()));
  });
  thread.on('message', (alarms: Alarms) => {
    if (lot) onDone(lot, alarms);
    feed();
  });
  feed();
  return ended;
}
