import type { Clock } from '../../../src/ports/clock.ts';
import type { HostKeys } from '../../../src/ports/host-keys.ts';
import type { HostAddress, Hosts } from '../../../src/ports/hosts.ts';
import type { Doing } from './doing.ts';

/** One host and ways to break what lies between. */
export type HostsWorld = {
  readonly address: HostAddress;
  /** Another account that the log-in user may become; asked for if the contract is to be held `withSudo`. */
  readonly sudoUser?: string | undefined;
  /** By which commands take their time. */
  readonly clock: Clock;
  /** How this host is told what to do, and looked at; by a shell on it if it is left out. */
  readonly hands?: Hands;
  /** A `Hosts` with connections of its own, as another worker has. The suite closes none: `close` ends them all. */
  newHosts(): Hosts & HostKeys;
  /** Breaks every open connection, without a word to either side's program. */
  cut(): void;
  close(): Promise<void>;
};

/** What reaches a host past the adapter that is looked at. */
export type Hands = {
  /** The words of a command that does this. */
  argvOf(doing: Doing): readonly string[];
  /** A script that does this, and the words before its path. */
  scriptOf(doing: Doing): { readonly argv: readonly string[]; readonly content: string };
  /** How many lines a file has; 0 if there is none. */
  linesOf(path: string): Promise<number>;
  /** Whether a process lives, by the name that it gave itself. */
  isAlive(process: string): Promise<boolean>;
  /** All files below a folder, whatever they are called; none if there is no folder. */
  filesIn(folder: string): Promise<readonly FileSeen[]>;
  /** Takes away what is at these places, if it can. */
  remove(paths: readonly string[]): Promise<void>;
};

/** `path` from the folder that was looked at. */
export type FileSeen = { readonly path: string; readonly sha256: string; readonly mode: number };
