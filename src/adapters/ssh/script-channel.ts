import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { EdgeError } from '../../domain/errors.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import type { HostAddress, HostIdentity } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';
import { type Verb, verbScript } from './host-scripts.ts';
import type { ConnectionPool } from './pool.ts';
import { type Connection, ConnectionLost, discard, type HostChannel } from './transport.ts';

/** One line of a script on stderr: `@<id> <word> <values…>`. */
export type Said = { readonly word: string; readonly values: readonly string[] };

export type ScriptRequest = {
  readonly host: HostAddress;
  readonly verb: Verb;
  /** Marks the script's lines: hex digits, or a word of ours. */
  readonly id: string;
  readonly args: readonly (string | number)[];
  readonly sudoUser?: string | undefined;
};

const LINE_LIMIT = 65_536;
const LOSS_SETTLES_MS = 200;

/** A script that runs on a host. It owns an SSH channel: `close` it. */
export class ScriptChannel {
  /** Resolves when the channel is closed from either side, or the connection is lost. */
  readonly closed: Promise<void>;
  readonly #request: ScriptRequest;
  /** Whoever opened the script consumes its output, or calls `discardOutput`. */
  readonly #channel: HostChannel;
  readonly #connection: Connection;
  readonly #said: Said[] = [];
  /** What is not ours on stderr: a shell's or sudo's complaint, for the error message. */
  #complaint = '';
  #isClosed = false;
  readonly #watchers = new Set<() => void>();

  constructor(request: ScriptRequest, channel: HostChannel, connection: Connection) {
    this.#request = request;
    this.#connection = connection;
    this.#channel = channel;
    this.closed = channel.closed.then(() => {
      this.#isClosed = true;
      this.#notify();
    });
    const notify = () => this.#notify();
    channel.output.on('readable', notify).on('end', notify);
    this.#readLines(channel.errors);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The next line of the script, or `undefined` once the channel is closed and all was read. */
  async next(signal: AbortSignal): Promise<Said | undefined> {
    while (this.#said.length === 0 && !this.#isClosed) {
      signal.throwIfAborted();
      await this.#change(signal);
    }
    signal.throwIfAborted();
    const said = this.#said.shift();
    if (said?.word === 'unfit') throw this.#unfit(said.values.join(' '));
    return said;
  }

  /** As `next`, but a channel that closed without a word is an error: the connection, or sudo. */
  async expect(signal: AbortSignal): Promise<Said> {
    const said = await this.next(signal);
    if (said) return said;
    throw await this.#endedEarly();
  }

  /**
   * What the script writes after its `@<id> begin` line: what stands before is a login script's. Ends with the stream, or
   * when it is stopped. What is not taken is held back on the host.
   */
  async *output(stop: AbortSignal): AsyncGenerator<Uint8Array> {
    const begin = Buffer.from(`@${this.#request.id} begin\n`);
    let preface: Buffer | undefined = Buffer.alloc(0);
    for await (const chunk of this.#chunks(stop)) {
      if (preface === undefined) {
        yield chunk;
        continue;
      }
      preface = Buffer.concat([preface, chunk]);
      const at = preface.indexOf(begin);
      if (at < 0) continue;
      const rest = preface.subarray(at + begin.length);
      preface = undefined;
      if (rest.length > 0) yield rest;
    }
  }

  discardOutput(): void {
    discard(this.#channel.output);
  }

  /** Resolves when the bytes were taken; also when the channel closed meanwhile: see `isClosed`. */
  async write(data: string | Uint8Array): Promise<void> {
    const { input } = this.#channel;
    if (this.#isClosed || input.write(data)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        input.off('drain', done);
        this.#watchers.delete(whenClosed);
        resolve();
      };
      const whenClosed = () => this.#isClosed && done();
      input.on('drain', done);
      this.#watchers.add(whenClosed);
    });
  }

  /** No more input: the host sees the end of its stdin. */
  endInput(): void {
    this.#channel.input.end();
  }

  close(): void {
    this.#channel.close();
    this.discardOutput();
  }

  async *#chunks(stop: AbortSignal): AsyncGenerator<Buffer> {
    const { output } = this.#channel;
    while (!stop.aborted) {
      const chunk: Buffer | null = output.read();
      if (chunk) yield chunk;
      else if (output.readableEnded || this.#isClosed) return;
      else await this.#change(stop);
    }
  }

  /** Resolves at the next line, output, close or abort: a hint to look again. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#watchers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#watchers.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  #readLines(errors: Readable): void {
    let rest = '';
    errors.setEncoding('utf8');
    errors.on('data', (text: string) => {
      const lines = (rest + text).slice(-LINE_LIMIT).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#hear(line);
      this.#notify();
    });
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #hear(line: string): void {
    const mark = `@${this.#request.id} `;
    if (line.startsWith(mark)) {
      const [word = '', ...values] = line.slice(mark.length).split(' ');
      this.#said.push({ word, values });
    } else if (this.#complaint.length < 500) this.#complaint = `${this.#complaint} ${line}`.trim();
  }

  #unfit(why: string): EdgeError {
    return hostError('host_unfit', this.#request.host, `: ${why}`);
  }

  async #endedEarly(): Promise<EdgeError> {
    if (this.#complaint.includes('sudo')) return this.#sudoRefused();
    // A connection that breaks may close its channels first.
    await wait(LOSS_SETTLES_MS);
    if (!this.#connection.live) {
      return new ConnectionLost(this.#request.host, 'the connection was lost while the host was being asked');
    }
    return this.#unfit(`the log-in shell ended before it answered: ${this.#complaint || 'it said nothing'}`);
  }

  #sudoRefused(): EdgeError {
    const { host, sudoUser } = this.#request;
    return hostError('host_unfit', host, `: ${this.#complaint}`, {
      hint: `Let the account run a shell as ${sudoUser} without a password, in sudoers: ${host.user ?? 'its name'} ALL=(${sudoUser}) NOPASSWD: /bin/sh`,
    });
  }
}

/** Starts a script on a host. Everything runs inside sudo: nothing outside could signal or read what it starts. */
export async function openScript(
  pool: ConnectionPool,
  request: ScriptRequest,
  signal: AbortSignal,
): Promise<ScriptChannel> {
  const { host, verb, id, args, sudoUser } = request;
  const command =
    sudoUser === undefined
      ? 'exec sh -s'
      : `exec sudo -n -H -u ${shellQuote(accountName(host, sudoUser))} sh -s`;
  const begin = { command, input: verbScript(verb, id, args) };
  const { channel, connection } = await pool.exec(host, begin, signal);
  return new ScriptChannel(request, channel, connection);
}

/** The one word that stands on a command line; sudo would read `#0` or `-u` as something else. */
function accountName(host: HostAddress, name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/.test(name)) return name;
  throw hostError('host_unfit', host, `: ${JSON.stringify(name)} is not the name of an account`);
}

export type HostSeen = { readonly identity: HostIdentity; readonly stateFolder: string };

/** The first thing every script says: which host this is, and where it keeps its state. */
export async function readHost(script: ScriptChannel, signal: AbortSignal): Promise<HostSeen> {
  const { word, values } = await script.expect(signal);
  const [bootId, hostId, ...folder] = values;
  if (word !== 'host' || !bootId || !hostId)
    throw new EdgeError('internal', `A host answered ${word} instead of its identity`);
  return { identity: { bootId, hostId }, stateFolder: folder.join(' ') };
}
