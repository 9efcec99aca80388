import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { fileFault } from '../../lib/file-fault.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';
import { listOf } from './host-key.ts';
import { clientArguments, lookArguments, masterArguments, proxyCommand } from './openssh-arguments.ts';
import { isFailedMaster, isRefusedChannel, masterFault, shownIn } from './openssh-faults.ts';
import type { ShowKey, Shown } from './shown-key.ts';
import {
  type Connect,
  Connection,
  ConnectionLost,
  type ConnectOptions,
  discard,
  type HostChannel,
  unreachable,
} from './transport.ts';

/** A path of a socket may have some hundred characters, and ssh adds to it while it makes one. */
const LONGEST_FOLDER = 50;
/** A master that ends takes its socket along; who waits for a channel may hear of the channel first. */
const LOSS_SETTLES_MS = 200;
/** After the end of an `ssh`, for the rest of what it said: a program that it started may hold its stderr. */
const LAST_WORDS_MS = 300;
const WORDS_LIMIT = 8_192;
const EXIT_MS = 5_000;
/** The exit status by which `ssh` tells that it failed itself; a command may end with the same. */
const SSH_FAILED = 255;
/** A line of a script of ours. */
const FIRST_WORD = /^@[0-9a-z]+ /m;

/** The transport over the system's OpenSSH client. It owns a folder of sockets, and their masters: `close` it. */
export class OpensshTransport {
  #folder: Promise<string> | undefined;
  #count = 0;
  readonly #pending = new Set<Promise<unknown>>();

  readonly connect: Connect = (host, options) => this.#awaited(this.#start(host, options));

  /** `ssh` judges a key by what it reads, and is then to log in by nothing: how it ends tells what it thought of the key. */
  readonly showKey: ShowKey = (host, options) => this.#awaited(look(host, options));

  /** Once its connections are closed: waits until their masters have ended. */
  async close(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    const folder = await this.#folder;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  async #start(host: HostAddress, { times, via, signal }: ConnectOptions): Promise<Connection> {
    await checkIdentity(host);
    this.#folder ??= mkdtemp(join(tmpdir().length > LONGEST_FOLDER ? '/tmp' : tmpdir(), 'edge-ssh-'));
    const socketPath = join(await this.#folder, String(this.#count++));
    const words = masterArguments(host, { times, socketPath, jump: commandThrough(via) });
    // The host has taken the log-in once `ssh` goes to the background, and the one that was started ends.
    const { code, said } = await endOf(host, words, { times, signal });
    if (code !== 0) throw masterFault(host, said);
    const socket = connectSocket(socketPath);
    await once(socket, 'connect').catch((cause) => {
      throw unreachable(host, 'the connection was lost after the log-in', cause);
    });
    const onEnd = (end: Promise<void>) => void this.#awaited(end);
    const connection = new OpensshConnection(host, { socketPath, socket, onEnd });
    if (signal.aborted) connection.close();
    signal.throwIfAborted();
    return connection;
  }

  #awaited<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const done = () => this.#pending.delete(work);
    work.then(done, done);
    return work;
  }
}

async function checkIdentity(host: HostAddress): Promise<void> {
  for (const file of listOf(host.identityFile)) {
    await access(file, constants.R_OK).catch((cause) => {
      const why = `: the private key ${file} cannot be read: ${fileFault(cause)}`;
      throw hostError('host_auth_refused', host, why, { cause });
    });
  }
}

async function look(host: HostAddress, { times, via, signal }: ConnectOptions): Promise<Shown> {
  const words = lookArguments(host, { times, jump: commandThrough(via) });
  const { said } = await endOf(host, words, { times, signal });
  return shownIn(host, said);
}

const commandThrough = (via: Connection | undefined): string | undefined =>
  via instanceof OpensshConnection ? via.proxyCommand() : undefined;

/** How an `ssh` ended that was to connect, and what it said. */
async function endOf(
  host: HostAddress,
  words: readonly string[],
  { times, signal }: Pick<ConnectOptions, 'times' | 'signal'>,
): Promise<{ readonly code: number | null; readonly said: string }> {
  signal.throwIfAborted();
  const deadline = AbortSignal.timeout(times.connectMs);
  const child = spawn('ssh', words, {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = lastWords(child);
  const kill = () => child.kill('SIGKILL');
  const either = AbortSignal.any([signal, deadline]);
  either.addEventListener('abort', kill, { once: true });
  try {
    const code = await exitOf(child).catch((cause) => {
      throw noClient(host, cause);
    });
    if (code === 0) return { code, said: said() };
    signal.throwIfAborted();
    if (deadline.aborted) throw unreachable(host, 'no log-in within the deadline');
    await Promise.race([once(child, 'close'), wait(LAST_WORDS_MS)]);
    return { code, said: said() };
  } finally {
    either.removeEventListener('abort', kill);
    child.stderr.destroy();
  }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
}

function noClient(host: HostAddress, cause: unknown): Error {
  return hostError(
    'host_unfit',
    host,
    `: the program ssh cannot be started on the worker: ${fileFault(cause)}`,
    {
      hint: 'Install the OpenSSH client where the worker runs, or choose `transport: library`.',
      cause,
    },
  );
}

function lastWords(child: { readonly stderr: NodeJS.ReadableStream }): () => string {
  let text = '';
  child.stderr.on('data', (data: Buffer) => {
    if (text.length < WORDS_LIMIT) text += data.toString();
  });
  return () => text;
}

type Master = {
  readonly socketPath: string;
  /** An open connection to the master's socket: while it is open the master stays, and when the master is gone it closes. */
  readonly socket: Socket;
  readonly onEnd: (end: Promise<void>) => void;
};

/** A master `ssh` in the background, which an `ssh` for each channel asks to open it. */
class OpensshConnection extends Connection {
  readonly #master: Master;

  constructor(host: HostAddress, master: Master) {
    super(host);
    this.#master = master;
    // What comes is the master's greeting, which needs no answer.
    master.socket
      .on('error', () => undefined)
      .on('close', () => this.lost())
      .resume();
  }

  async exec(command: string, input: string): Promise<HostChannel> {
    const child = spawn('ssh', [...clientArguments(this.host, this.#master.socketPath), command]);
    child.stdin.on('error', () => undefined);
    child.stdin.write(input);
    // Of a child that has ended Node throws away what nobody listens for, and the end of one that ends together with others is told
    // before what it wrote was read.
    child.stdout.on('readable', () => undefined);
    const errors = new PassThrough();
    const channel = {
      input: child.stdin,
      output: child.stdout,
      errors,
      closed: this.#closing(child, errors),
      close: () => child.kill(),
    };
    try {
      await this.#beginning(child, errors);
      return channel;
    } catch (error) {
      errors.resume();
      discard(child.stdout);
      throw error;
    }
  }

  proxyCommand(): string {
    return proxyCommand(this.host, this.#master.socketPath);
  }

  #closing(child: ChildProcess, errors: PassThrough): Promise<void> {
    return new Promise((resolve) => {
      const forget = this.onLost(() => setImmediate(resolve));
      errors.once('end', resolve);
      child.once('close', () => {
        forget();
        errors.end();
      });
    });
  }

  /** Until the script has said its first word: `ssh` does not tell when the host has taken a channel. */
  async #beginning(child: ChildProcessWithoutNullStreams, errors: PassThrough): Promise<void> {
    let heard = '';
    const ended = Promise.all([exitOf(child), once(child.stderr, 'end')]);
    const spoke = new Promise<'spoke'>((resolve) => {
      child.stderr.on('data', (data: Buffer) => {
        errors.write(data);
        heard = (heard + data.toString()).slice(-WORDS_LIMIT);
        if (FIRST_WORD.test(heard)) resolve('spoke');
      });
    });
    const first = await Promise.race([spoke, ended]).catch((cause) => {
      throw noClient(this.host, cause);
    });
    if (first === 'spoke' || first[0] !== SSH_FAILED) return;
    if (this.live && !isRefusedChannel(heard)) await wait(LOSS_SETTLES_MS);
    if (!this.live) throw new ConnectionLost(this.host, 'the connection was lost');
    if (isRefusedChannel(heard) || isFailedMaster(heard)) throw new Error(heard.trim());
  }

  close(): void {
    this.retire();
    const { socketPath, socket, onEnd } = this.#master;
    const exit = spawn('ssh', clientArguments(this.host, socketPath, ['-O', 'exit']), { stdio: 'ignore' });
    const overdue = AbortSignal.timeout(EXIT_MS);
    overdue.addEventListener('abort', () => exit.kill('SIGKILL'));
    // Should the master not have heard it, it ends by itself once nobody is connected to it.
    onEnd(
      exitOf(exit).then(
        () => void socket.destroy(),
        () => void socket.destroy(),
      ),
    );
  }
}
