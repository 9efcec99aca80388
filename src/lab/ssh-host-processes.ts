import { readdirSync, readFileSync } from 'node:fs';

/** Set in each process of a lab host and inherited by all that it starts: how `killProcessesOf` finds them. */
export const HOST_MARKER = 'EDGE_LAB_HOST';

const ROUNDS = 200;
const PAUSE_MS = 10;

/**
 * Ids of all living processes that carry the marker of the host in `folder`, in whatever session or group they are; only
 * one that was started with an emptied environment (`env -i`) is not seen.
 * Empty where there is no /proc (macOS): there only the process groups that a host remembers can be found.
 */
export function processesOf(folder: string): readonly number[] {
  const marker = `\0${HOST_MARKER}=${folder}\0`;
  return allProcessIds().filter((pid) => pid !== process.pid && environmentOf(pid).includes(marker));
}

/**
 * Kills all processes of a host and waits until none is left. Looks again after each kill, since a process may have
 * started another in between. Works without the event loop, so that it can run while the lab's process exits.
 * Throws when some do not end within two seconds.
 */
export function killProcessesOf(folder: string, groups: Iterable<number>): void {
  for (const group of groups) killIfThere(-group);
  for (let round = 0; round < ROUNDS; round += 1) {
    const alive = processesOf(folder);
    if (alive.length === 0) return;
    for (const pid of alive) killIfThere(pid);
    pause();
  }
  throw new Error(`processes of ${folder} do not end: ${processesOf(folder).join(', ')}`);
}

/** Whether any process of this group is left; a group that is empty may be forgotten before its id is used again. */
export function isGroupAlive(group: number): boolean {
  return sendSignal(-group, 0);
}

/** Sends a signal to a process, or to a group by its negative id. `false`: there is no such process any more. */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

const killIfThere = (pid: number): boolean => sendSignal(pid, 'SIGKILL');

function allProcessIds(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** The environment a process was started with, between NULs. Empty for one that has ended or belongs to another user. */
function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`;
  } catch {
    return '';
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
