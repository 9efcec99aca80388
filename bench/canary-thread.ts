import { parentPort } from 'node:worker_threads';
import { type Case, canaryOf } from './canary-cases.ts';
import { byJudge, JUDGES, type JudgeName } from './canary-judges.ts';

// A thread of canary-threads.ts: takes lots from its parent, one after the other, and answers each with its alarms.

/** Canaries of one case, with the numbers from `from` up to, and not, `to`. */
export type Lot = { readonly case: Case; readonly seed: number; readonly from: number; readonly to: number };

/** The minutes of the alarms of each judge, in any order. */
export type Alarms = Readonly<Record<JudgeName, readonly number[]>>;

function alarmsIn({ case: of, seed, from, to }: Lot): Alarms {
  const canaries = Array.from({ length: to - from }, (_, place) => canaryOf(of, seed, from + place));
  return byJudge((judge) => canaries.flatMap((canary) => JUDGES[judge](canary) ?? []));
}

parentPort?.on('message', (lot: Lot) => parentPort?.postMessage(alarmsIn(lot)));
