import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export type Role = 'server' | 'worker';
/** `kill`: SIGKILL; `stop`: SIGSTOP, until somebody sends SIGCONT. */
export type Act = 'kill' | 'stop';

/** The first incarnation is struck at the n-th passage of the point, each one that follows at its first. */
export type Armed = {
  readonly point: string;
  readonly nth: number;
  readonly act: Act;
  /** So many incarnations, one after the other. */
  readonly strikes: number;
};

/** What a process is told by its environment. */
export type Arming = {
  readonly role: Role;
  /** Where it notes what happens: one JSON object a line. */
  readonly log: string;
  readonly armed: Armed | null;
};

export type Note =
  | { readonly kind: 'hit'; readonly point: string }
  /** The first time that an incarnation drove or worked on a deployment. */
  | { readonly kind: 'deed'; readonly what: string }
  /** What a call that was stopped before it was made was told when it was made after all. */
  | { readonly kind: 'answer'; readonly answer: unknown };

/** `at`: ms since the epoch. */
export type Noted = Note & { readonly role: Role; readonly pid: number; readonly at: number };

export const ARMING_VARIABLE = 'EDGE_CRASH_POINT';
const PRELOAD = pathToFileURL(join(import.meta.dirname, 'preload.ts')).href;

/** The environment that gives a process its points. */
export const environmentOf = (arming: Arming): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import=${PRELOAD}`,
  [ARMING_VARIABLE]: JSON.stringify(arming),
});

/** All that was noted so far. */
export async function notesIn(log: string): Promise<readonly Noted[]> {
  const text = await readFile(log, 'utf8').catch(() => '');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line): Noted => JSON.parse(line));
}
