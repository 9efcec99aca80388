import type { Readable } from 'node:stream';

/** All that the CLI needs of its process, handed in by `main.ts`: with it every command can be run in a test. */
export type CliEnvironment = {
  /** Version of this Edge, for `edge --version`. */
  readonly version: string;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Read for the answer to a question only. */
  readonly stdin: Readable;
  readonly terminal: Terminal;
  /** The working folder: relative paths of the command line begin here. */
  readonly folder: string;
  readonly settings: CliSettings;
  readonly now: () => number;
  /** Resolves after `ms`, at once when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Calls back on each Ctrl-C until it is taken back. While nobody listens, an interrupt ends the process with 130. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** The server of a data folder: the one that runs, or else one in this process until `close`. Rejects with an EdgeError. */
  readonly connect: (options: { readonly dataFolder?: string }) => Promise<ServerAccess>;
  /** The roles run until they are told to end; each resolves with the exit status. */
  readonly serve: (options: ServeOptions) => Promise<number>;
  readonly work: (options: WorkOptions) => Promise<number>;
  readonly demo: (options: DemoOptions) => Promise<number>;
};

export type TextSink = { readonly write: (text: string) => unknown };

export type Terminal = {
  /** Whether standard output is a terminal that can be redrawn: `false` with `TERM=dumb`. */
  readonly redraws: boolean;
  /** Whether a person is there to answer: both standard input and output are a terminal. */
  readonly answers: boolean;
  readonly colours: boolean;
  /** As it is now; it may change at any time. */
  readonly size: () => { readonly columns: number; readonly rows: number };
};

/** From environment variables. The option of the same name goes before. */
export type CliSettings = {
  readonly server?: string;
  readonly token?: string;
  readonly dataFolder?: string;
  /** The address of a database server that holds the state, without its password. */
  readonly store?: string;
};

export type ServerAccess = {
  readonly url: string;
  readonly token?: string;
  /** Whether the server lives in this process, and ends with the command. */
  readonly embedded: boolean;
  readonly close: () => Promise<void>;
};

/** What a role may have of artifacts: room in GB, and the only origins that they may come from. */
export type ArtifactOptions = {
  readonly artifactSpace?: number;
  readonly artifactOrigin?: readonly string[];
};

/** Modules that add kinds of work. */
export type PluginOptions = { readonly plugin?: readonly string[] };

export type ServeOptions = ArtifactOptions &
  PluginOptions & {
    readonly dataFolder?: string;
    /** In place of the store in the data folder. */
    readonly store?: string;
    /** `host:port`. */
    readonly listen?: string;
    /** Whether it works on tasks as well as serving. */
    readonly works: boolean;
    /** PEM files; both or none. */
    readonly tlsCert?: string;
    readonly tlsKey?: string;
  };

export type WorkOptions = ArtifactOptions &
  PluginOptions & {
    readonly dataFolder?: string;
    /** In place of the store in the data folder, where no server is named. */
    readonly store?: string;
    readonly server?: string;
    readonly token?: string;
    readonly pool: string;
    readonly name?: string;
    /** How many tasks at once. */
    readonly parallel?: number;
  };

export type DemoOptions = { readonly once: boolean; readonly json: boolean };
