import { readFile } from 'node:fs/promises';
import type { RemoteStatus } from '../../src/ports/hosts.ts';
import type { Case } from './chaos-cases.ts';
import type { World } from './chaos-world.ts';

/** What one starter was told of a task in the end. */
export type Seen = { readonly status: RemoteStatus; readonly sha256: string; readonly bytes: number };

/** Counts the promises that were broken. */
export class Verdict {
  readonly counts = {
    exited: 0,
    unknown: 0,
    cancelled: 0,
    leftRunning: 0,
    ranMoreThanOnce: 0,
    wrongExit: 0,
    wrongOutput: 0,
    falseSuccesses: 0,
  };
  readonly errors: string[] = [];

  /** Against what the task itself wrote down, and after all that could still run has had time to. */
  async judge(world: World, one: Case, seen: Seen[] | Error): Promise<void> {
    if (seen instanceof Error) this.#blame('wrongExit', one, `${seen.message}`);
    else for (const each of seen) await this.#judgeStarter(one, each);
    if (one.fate === 'kill') await this.#stopOrphan(world, one);
    const lines = await linesOf(one.record);
    if (lines.filter((line) => line === 'run').length > 1)
      this.#blame('ranMoreThanOnce', one, 'it ran twice');
    const [first] = seen instanceof Error ? [] : seen;
    const kind = first?.status.kind;
    if (kind === 'exited' || kind === 'unknown' || kind === 'cancelled') this.counts[kind] += 1;
  }

  async #judgeStarter(one: Case, { status, sha256, bytes }: Seen): Promise<void> {
    const said = `${one.fate}: ${JSON.stringify(status)}, ${bytes} of ${one.size} bytes`;
    const lines = await linesOf(one.record);
    if (status.kind === 'exited') {
      const wasEnded = one.fate === 'cancel' && (status.code === 143 || status.code === 137);
      if (!wasEnded && status.code !== one.code) this.#blame('wrongExit', one, said);
      if (status.code === 0 && !lines.includes('end')) this.#blame('falseSuccesses', one, said);
      if (status.outputBytes !== bytes || (!wasEnded && sha256 !== one.sha256))
        this.#blame('wrongOutput', one, said);
    } else if (status.kind === 'cancelled' && one.fate === 'cancel') {
      if (lines.length > 0) this.#blame('wrongExit', one, `${said}, but it ran`);
    } else if (status.kind !== 'unknown' || one.fate !== 'kill') this.#blame('wrongExit', one, said);
  }

  async #stopOrphan(world: World, one: Case): Promise<void> {
    const proof = await world.cancel(one, 100);
    if (!proof.gone) this.#blame('leftRunning', one, proof.seen);
  }

  #blame(
    what: 'leftRunning' | 'ranMoreThanOnce' | 'wrongExit' | 'wrongOutput' | 'falseSuccesses',
    one: Case,
    why: string,
  ): void {
    this.counts[what] += 1;
    this.errors.push(`${what}, task ${one.task.id}${one.task.sudoUser ? ' under sudo' : ''}: ${why}`);
  }
}

async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
}
