import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** systemd's RestartSec when nothing is said. */
const RESTART_MS = 100;
const STOP_MS = 20_000;
const EDGE = join(import.meta.dirname, '../../bin/edge');

export type SupervisedOptions = {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What all its incarnations write is added to this file. */
  readonly logFile: string;
};

/** `bin/edge …` as a process of its own under a supervising loop: whenever it ends, it is started again, as systemd would. */
export class Supervised {
  #options: SupervisedOptions;
  #child: ChildProcess;
  #ended: Promise<unknown>;
  #isStopping = false;
  #born = Promise.withResolvers<number>();
  /** Starts so far. */
  starts = 0;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    [this.#child, this.#ended] = this.#spawn();
  }

  get env(): Readonly<Record<string, string>> {
    return this.#options.env;
  }

  /** What the successors of the present process are to be started with. */
  succeedWith(args: readonly string[]): void {
    this.#options = { ...this.#options, args };
  }

  /** Sends a signal to the present process; where that ends it, the loop starts its successor. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills the process (SIGKILL) and lets the loop start its successor; `args`: what the successor is to be started with. */
  async kill(args = this.#options.args): Promise<{ readonly killedAt: number; readonly bornAt: number }> {
    this.succeedWith(args);
    const born = this.#born.promise;
    const killedAt = Date.now();
    this.#child.kill('SIGKILL');
    return { killedAt, bornAt: await born };
  }

  /** SIGTERM, and SIGKILL if that is not heard. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const limit = new AbortController();
    const late = wait(STOP_MS, true, { signal: limit.signal }).catch(() => false);
    this.#child.kill('SIGTERM');
    const isLate = await Promise.race([this.#ended.then(() => false), late]);
    limit.abort();
    if (isLate) this.#child.kill('SIGKILL');
    await this.#ended;
    if (isLate) throw new Error(`edge ${this.#options.args.join(' ')} did not end within ${STOP_MS} ms`);
  }

  #spawn(): [ChildProcess, Promise<unknown>] {
    const { args, env, logFile } = this.#options;
    const log = openSync(logFile, 'a');
    this.starts += 1;
    const child = spawn(EDGE, args, { env: { ...process.env, ...env }, stdio: ['ignore', log, log] });
    const ended = once(child, 'exit');
    void ended.then(() => wait(RESTART_MS)).then(() => this.#restart());
    return [child, ended];
  }

  #restart(): void {
    if (this.#isStopping) return;
    const born = this.#born;
    this.#born = Promise.withResolvers<number>();
    born.resolve(Date.now());
    [this.#child, this.#ended] = this.#spawn();
  }
}
