/** One thing that a command does. Each world has a way to say it: to a shell, or to a host in memory. */
export type Step =
  | { readonly kind: 'print'; readonly text: string; readonly to?: 'stderr' }
  | { readonly kind: 'repeat'; readonly character: string; readonly times: number }
  /** Prints a variable of its environment and a line end, both in base64. */
  | { readonly kind: 'encode'; readonly variable: string }
  /** Prints the id of its process, as a line. */
  | { readonly kind: 'name itself' }
  /** Of a script: adds this to the file that later steps read. */
  | { readonly kind: 'give'; readonly text: string }
  /** Adds a line to a file. */
  | { readonly kind: 'count'; readonly path: string }
  /** `hidden`: in a process that is not known by its environment. */
  | { readonly kind: 'wait'; readonly ms: number; readonly hidden?: true }
  | { readonly kind: 'kill supervisor' };

/** What a command does from its start to its end. */
export type Doing = {
  readonly steps: readonly Step[];
  /** Its exit status, 0 if it is left out; `endless`: after its steps it goes on until it is ended. */
  readonly end?: number | 'endless';
  /** `ignore`, or what it prints and the status with which it then ends. Left out: TERM ends it. */
  readonly onTerm?: 'ignore' | { readonly text: string; readonly code: number };
};

export const prints = (text: string): Step => ({ kind: 'print', text });
export const printsError = (text: string): Step => ({ kind: 'print', text, to: 'stderr' });
export const gives = (text: string): Step => ({ kind: 'give', text });
export const repeats = (character: string, times: number): Step => ({ kind: 'repeat', character, times });
export const encodes = (variable: string): Step => ({ kind: 'encode', variable });
export const namesItself: Step = { kind: 'name itself' };
export const counts = (path: string): Step => ({ kind: 'count', path });
export const waits = (ms: number): Step => ({ kind: 'wait', ms });
export const waitsHidden = (ms: number): Step => ({ kind: 'wait', ms, hidden: true });
export const killsItsSupervisor: Step = { kind: 'kill supervisor' };
