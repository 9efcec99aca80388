import type { RemoteTaskId } from '../domain/ids.ts';
import type { SecretRef } from '../domain/secret.ts';

/** Where a host is and how to log in; resolved from the environment when the plan is made. */
export type HostAddress = {
  readonly name: string;
  readonly address: string;
  /** Left out only with `config`, as `user` is: what that says holds. */
  readonly port?: number;
  readonly user?: string;
  /** A file of ssh_config(5) on the worker's machine; what stands here goes before what it says. */
  readonly config?: string;
  /** Path of a private key on the worker's machine. Of several, those that are there are tried in turn. */
  readonly identityFile?: string | readonly string[];
  /** Of the private key. */
  readonly passphrase?: SecretRef;
  /** The agent that SSH_AUTH_SOCK names where the worker runs, or the path of its socket. */
  readonly agent?: true | string;
  /** Sent only if it is here, and only after keys were refused. */
  readonly password?: SecretRef;
  readonly hostKey: HostKey;
  /** The hosts to go through, first to last, with the same key or agent; never with the password. */
  readonly jump?: readonly JumpHost[];
  /** By the OpenSSH client of the worker's machine; left out: by the library that Edge brings. */
  readonly transport?: 'openssh';
};

/** Verified always: known_hosts files, a pinned `SHA256:…` fingerprint, or the files of keys that `config` names. */
export type HostKey =
  | { readonly knownHosts: string | readonly string[] }
  | { readonly fingerprint: string }
  | { readonly config: true };

/** `user`: that of the host at the end, if it is left out. */
export type JumpHost = Pick<HostAddress, 'address' | 'port' | 'user' | 'hostKey'>;

/**
 * A command for a host, run as a detached task (contract C17): it starts at most once for its id, and its output and exit
 * status survive the connection and the worker. `argv` is quoted in one place; `env` and `stdin` never reach a command line.
 */
export type RemoteTask = {
  readonly id: RemoteTaskId;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** `~`, or `~/` at its start: the home of the user that the command runs as. */
  readonly cwd?: string;
  /** Run as this user through `sudo -n`; the supervisor runs inside sudo. */
  readonly sudoUser?: string;
  /** Values that are replaced by `***` in the output, from the first byte (contract C11). */
  readonly secrets: readonly string[];
  /** Of a longer output the first and the last half of this are kept; the number of bytes dropped is exact. */
  readonly outputLimitBytes: number;
  readonly script?: RemoteScript;
};

/**
 * A file that is made for one task, in the folder of its claim, for its account alone; its path is added to `argv` as the last
 * word, and it goes when the task has ended. The host makes it, takes its SHA-256 and starts it in one go: with another digest
 * nothing is started. The script may write what later steps read into the file that EDGE_OUTPUTS names.
 */
export type RemoteScript = {
  readonly content: string;
  readonly sha256: string;
  /** Of a longer file of outputs one byte more than this is given. */
  readonly outputsLimitBytes: number;
};

/**
 * A host as it was seen when a task was dispatched: a host that is not the same any more answers UNKNOWN, not NONE. `hostId` is
 * of the folder where that account keeps its claims, so each account of a host has another: store it with the task.
 */
export type HostIdentity = { readonly bootId: string; readonly hostId: string };

/**
 * What a host knows of a detached task. `none`: it never started, on the very host and boot that are asked about.
 * `cancelled`: the claim was taken by a tombstone, it can never start. `changed`: its script had another digest on the host, and
 * nothing was started. `refused`: the host could not start it, such as with a full disk, and nothing of it was or will be
 * started; both only `run` gives, of a task that was sent once. `unknown`: rebooted, wiped, or the supervisor died.
 */
export type RemoteStatus =
  | { readonly kind: 'none' }
  | { readonly kind: 'running'; readonly outputBytes: number }
  | {
      readonly kind: 'exited';
      readonly code: number;
      readonly outputBytes: number;
      readonly droppedBytes: number;
      /** What a script wrote as its outputs, masked; only `run` gives it. */
      readonly outputs?: string;
    }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unknown'; readonly seen: string };

/** `gone`: proven, no process of the task is left and none can start. `before` is what was seen before the cancel. */
export type CancelProof =
  | { readonly gone: true; readonly before: RemoteStatus }
  | { readonly gone: false; readonly seen: string };

/**
 * A piece of the kept output: masked, and with one line in place of the bytes that were dropped, if any were. `offset` counts
 * bytes of exactly this stream. It is the same for every attach with the same secrets and limit, so who holds the first n
 * bytes asks for offset n and gets neither a gap nor a byte twice. (Sizes in `RemoteStatus` count what the command wrote.)
 */
export type OutputChunk = { readonly offset: number; readonly data: Uint8Array };

/** What a host is and has; `missing` names helpers that Edge needs and did not find. */
export type HostFacts = {
  readonly identity: HostIdentity;
  readonly system: string;
  readonly missing: readonly string[];
  readonly freeBytes: number;
};

export type RunOptions = {
  /** The identity stored at the first dispatch of this task, if there was one. */
  readonly expect?: HostIdentity;
  /** First byte of output that is wanted: 0, or what the caller already holds. */
  readonly fromOffset: number;
  /** Called before anything can start, with the host's identity: the caller stores it first (M1, M4). Not called if it had. */
  readonly onDispatch: (identity: HostIdentity) => Promise<void>;
  /** Called in order, without gaps, masked. The stream is held back while the promise is pending. */
  readonly onOutput: (chunk: OutputChunk) => Promise<void>;
  /** Ends the wait, not the task. */
  readonly signal: AbortSignal;
};

/**
 * Hosts over SSH, without an agent. All methods reject with `host_unreachable`, `host_key_*`, `host_auth_refused` or
 * `host_unfit` (EdgeError); a rejection says nothing about whether a task started: ask `status`.
 */
export interface Hosts {
  /** Starts the task if it never started, attaches if it did; resolves when it ended or is unknown. Reconnects by itself. */
  run(host: HostAddress, task: RemoteTask, options: RunOptions): Promise<RemoteStatus>;
  status(host: HostAddress, task: RemoteTask, expect: HostIdentity | undefined): Promise<RemoteStatus>;
  /**
   * Takes the claim if nothing started; else TERM, grace, KILL, and looks until no process of the task is left. A task that
   * has exited is left as it is: what it leaves running (a service) it was meant to start.
   */
  cancel(host: HostAddress, task: RemoteTask, graceMs: number): Promise<CancelProof>;
  /**
   * Streams a local file, or bytes, to `path` (parents are made), checks size and SHA-256 on the host, then renames it into
   * place. Gives the path as the host has it, absolute.
   */
  upload(host: HostAddress, file: UploadFile, signal: AbortSignal): Promise<string>;
  /** Removes what these tasks left on the host; only after their results are committed. */
  forget(host: HostAddress, tasks: readonly RemoteTask[]): Promise<void>;
  facts(host: HostAddress): Promise<HostFacts>;
}

/** `content`: the bytes themselves, in place of a file of this machine; `localPath` is then only what they are called. */
export type UploadFile = {
  readonly localPath: string;
  readonly content?: Uint8Array;
  /** Left out: what `localPath` has. */
  readonly sizeBytes?: number;
  /** Absolute, or below the home (`~/`) of the user that it is for. */
  readonly path: string;
  readonly sha256: string;
  readonly mode: number;
  readonly sudoUser?: string;
  /** A file whose being there, with this digest, says that the upload is needless: then nothing is sent. */
  readonly unless?: { readonly path: string; readonly sha256: string };
  /**
   * Gives the bytes, in place of `localPath`, and only if the host has said that it needs them: they may have to be brought from far
   * away. Their digest may be another one, as where a file is packed anew for hosts.
   */
  readonly bring?: (send: (file: BroughtFile) => Promise<string>) => Promise<string>;
};

export type BroughtFile = Pick<UploadFile, 'localPath' | 'content' | 'sizeBytes' | 'sha256'>;
