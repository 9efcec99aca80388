import type { RemoteTask } from '../../ports/hosts.ts';

/** What a command does on a host of this world: it writes `output` piece by piece, and ends after `durationMs`. */
export type Behaviour = {
  /** From its start to its end by itself; `Infinity` if it has none. */
  readonly durationMs: number;
  readonly code: number;
  /** A piece of time 0 is there in the moment of the start; one that is due after the end is never written. */
  readonly output?: readonly { readonly atMs: number; readonly text: string | Uint8Array }[];
  /** Of a script: what it writes for later steps. */
  readonly outputs?: string;
  readonly ignoresTerm?: boolean;
  /** What it writes when it is asked to end, and its status then. Without it TERM ends it as it ends any process. */
  readonly trapsTerm?: { readonly text: string; readonly code: number };
  /** Called in the moment of its start. */
  readonly onStart?: () => void;
  /** Called in the moment of its end: by itself, or by a cancel, a reboot or a wipe of its host. */
  readonly onEnd?: (how: 'exited' | 'killed') => void;
};

/** What a task does on the host of this name; asked once for each start. */
export type Program = (task: RemoteTask, host: string) => Behaviour;
