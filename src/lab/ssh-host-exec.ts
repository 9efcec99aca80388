import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { ServerChannel } from 'ssh2';
import { sendSignal } from './ssh-host-processes.ts';

/** The signals that SSH has names for (RFC 4254 section 6.10). */
const SIGNAL_NAMES = new Set('ABRT ALRM FPE HUP ILL INT KILL PIPE QUIT SEGV TERM USR1 USR2'.split(' '));

export type ExecOptions = {
  readonly command: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
};

/** A command that runs for one exec channel. `group` is its process group, `undefined` when it could not start. */
export type RunningCommand = {
  readonly group: number | undefined;
  /** Resolves when the command's own process has ended; others of its group may go on. */
  readonly exited: Promise<void>;
  /** Signals the whole group, by a name of RFC 4254 section 6.10 (`TERM`); unknown names do nothing. */
  signal(name: string): void;
  /** Lets go of the channel and leaves the processes alone, as sshd does when a connection is lost. */
  detach(): void;
};

/**
 * Runs `sh -c command` as a real child in a session and process group of its own and joins it to the channel as sshd
 * does without a terminal: exit status or signal when the child ends, end of the channel when nobody holds its output
 * any more, standard input closed with the channel.
 */
export function runCommand(channel: ServerChannel, options: ExecOptions): RunningCommand {
  const child = spawn('/bin/sh', ['-c', options.command], {
    cwd: options.folder,
    env: { ...options.environment },
    detached: true,
  });
  const exited = exitOf(child, channel);
  feedInput(channel, child.stdin);
  const drained = drainOutput(child, channel);
  // Neither rejects.
  void Promise.all([exited, drained]).then(() => channel.end());

  const detach = () => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
  };
  channel.on('close', detach);
  channel.on('error', detach);
  channel.stderr.on('error', detach);
  const group = child.pid;
  return { group, exited, detach, signal: (name) => signalGroup(group, name) };
}

function exitOf(child: ChildProcessWithoutNullStreams, channel: ServerChannel): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      reportExit(channel, code, signal);
      resolve();
    });
    // The folder is gone, or the machine cannot fork: sshd says so on stderr and ends with a status of its own.
    child.once('error', (error) => {
      channel.stderr.write(`edge lab: cannot run the command: ${error.message}\n`);
      channel.exit(255);
      resolve();
    });
  });
}

function reportExit(channel: ServerChannel, code: number | null, signal: NodeJS.Signals | null): void {
  const name = signal?.slice('SIG'.length) ?? '';
  if (SIGNAL_NAMES.has(name)) channel.exit(name, false, '');
  else channel.exit(code ?? 128 + (signal ? constants.signals[signal] : 0));
}

function signalGroup(group: number | undefined, name: string): void {
  if (group !== undefined && SIGNAL_NAMES.has(name)) sendSignal(-group, `SIG${name}` as NodeJS.Signals);
}

/** Streams the channel's input to the child; what the child no longer reads is thrown away, so that the end arrives. */
function feedInput(channel: ServerChannel, stdin: Writable): void {
  const discard = () => {
    channel.unpipe(stdin);
    channel.resume();
  };
  stdin.on('error', discard);
  stdin.on('close', discard);
  channel.pipe(stdin);
}

/** Resolves when both outputs have been sent to their ends, or were let go. */
async function drainOutput(child: ChildProcessWithoutNullStreams, channel: ServerChannel): Promise<void> {
  const send = oneAtATime(channel);
  await Promise.allSettled([pump(child.stdout, channel, send), pump(child.stderr, channel.stderr, send)]);
}

type Send = (to: Writable, data: Uint8Array) => Promise<void>;

async function pump(from: Readable, to: Writable, send: Send): Promise<void> {
  for await (const data of from) await send(to, data);
}

/**
 * Writes to a channel's two outputs in turn, the next only when the client's window has taken the last one: this is
 * the back-pressure. ssh2 1.17 never forgets a chunk that once waited for the window, and sends it a second time when
 * later the other output has to wait (lib/server.js, CHANNEL_WINDOW_ADJUST); so it is made to forget after each write.
 */
function oneAtATime(channel: ServerChannel): Send {
  const nothingWaits = {
    _chunk: undefined,
    _chunkcb: undefined,
    _chunkErr: undefined,
    _chunkcbErr: undefined,
  };
  let last = Promise.resolve();
  return (to, data) => {
    last = last.then(() => new Promise((resolve) => to.write(data, () => resolve())));
    return last.then(() => void Object.assign(channel, nothingWaits));
  };
}
