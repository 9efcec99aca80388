// Loaded into the processes of Edge that a test crashes, in each of their threads; never by production code.
import { appendFileSync, closeSync, existsSync, openSync } from 'node:fs';
import { ARMING_VARIABLE, type Arming, type Note } from './arming.ts';

const arming: Arming | null = JSON.parse(process.env[ARMING_VARIABLE] ?? 'null');

/** Says that a strike was made. */
function markOf({ log }: Arming, strikeNumber: number): string {
  return `${log}.struck-${strikeNumber}`;
}

/** Which strike would be the next: an incarnation has the environment of the one that was struck before it. */
const turn = arming ? turnOf(arming) : 0;
let passages = 0;
let isUnderWay = false;
/** It was stopped at its point and has gone on. */
let isAwake = false;
const done = new Set<string>();

/** Whether this process has had anything to do with a deployment yet; what is asked before is no passage of a point. */
export const underWay = (): boolean => isUnderWay;

export function begin(): void {
  isUnderWay = true;
}

/** Where this process may be ended or stopped. The n-th passage of the point that it is armed with does it. */
export function point(name: string): void {
  if (arming?.armed?.point !== name) return;
  const { nth, strikes } = arming.armed;
  passages += 1;
  if (turn <= strikes && passages === (turn === 1 ? nth : 1) && isMine(arming)) strike(arming, arming.armed);
}

/** Told once by each incarnation, and once more by one that was stopped: what shows that a deployment goes on. */
export function deed(what: string): void {
  if (!arming || done.has(what)) return;
  done.add(what);
  note(arming, { kind: 'deed', what });
}

/** What became of the call before which this process was stopped. */
export function answered(name: string, answer: unknown): void {
  if (!arming || !isAwake || arming.armed?.point !== name) return;
  isAwake = false;
  done.clear();
  note(arming, { kind: 'answer', answer: answer ?? null });
}

function turnOf(given: Arming): number {
  let number = 1;
  while (existsSync(markOf(given, number))) number += 1;
  return number;
}

/** No other process may have been struck in this turn. */
function isMine(given: Arming): boolean {
  try {
    closeSync(openSync(markOf(given, turn), 'wx'));
    return true;
  } catch {
    return false;
  }
}

function strike(at: Arming, { point: name, act }: NonNullable<Arming['armed']>): void {
  note(at, { kind: 'hit', point: name });
  process.kill(process.pid, act === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  // The signal may be taken by another thread first: this one does nothing until it has been heard.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, act === 'kill' ? 10_000 : 100);
  isAwake = true;
}

function note({ log, role }: Arming, what: Note): void {
  appendFileSync(log, `${JSON.stringify({ ...what, role, pid: process.pid, at: Date.now() })}\n`);
}
