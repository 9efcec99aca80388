import { type ChildProcess, spawn } from 'node:child_process';
import { MOST_INVENTORY_BYTES, type TextSource } from '../../domain/inventory.ts';
import { fileFault } from '../../lib/file-fault.ts';
import { oneLine } from '../../lib/inert-text.ts';
import { createMask } from '../../lib/mask.ts';
import { killGroup } from '../../outbound/kill-group.ts';
import type { InventoryText } from '../../ports/inventory.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { textOf, tooLong, unreachable } from './fault.ts';

type CommandSource = Extract<TextSource, { from: 'command' }>;
export type CommandParts = {
  readonly secrets: Secrets;
  /** The environment of this process; little of it is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
};

const HANDED_ON = ['PATH', 'HOME', 'LANG', 'TZ'];
const KEPT_OF_ERRORS = 8_192;
const MOST_TOLD = 200;

/**
 * What a command of this machine prints. No shell reads it, and nothing is on its standard input. It and all that it started
 * is killed at the deadline, or with the signal.
 */
export async function readFromCommand(
  source: CommandSource,
  { secrets, environment }: CommandParts,
  signal: AbortSignal,
): Promise<InventoryText> {
  const { values, hidden } = await variables(source, secrets);
  signal.throwIfAborted();
  const usual = HANDED_ON.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const child = started(source, { ...Object.fromEntries(usual), ...values });
  const ended = await ending(child, source, signal);
  if (ended.code === 0) return { text: textOf(source, ended.output) };
  const how = ended.code === null ? `by the signal ${ended.by}` : `with exit status ${ended.code}`;
  throw unreachable(source, `it ended ${how}${lastWords(ended.errors, hidden)}`);
}

function started(source: CommandSource, env: Readonly<Record<string, string>>): ChildProcess {
  const [program = '', ...words] = source.argv;
  try {
    return spawn(program, words, {
      ...{ shell: false, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
      env,
    });
  } catch (cause) {
    // Such as a secret with a NUL in it; what the runtime says quotes it.
    throw unreachable(source, 'it cannot be started with these words and variables', { cause });
  }
}

async function variables(
  { env = {} }: CommandSource,
  secrets: Secrets,
): Promise<{ readonly values: Readonly<Record<string, string>>; readonly hidden: readonly string[] }> {
  const resolved = await Promise.all(
    Object.entries(env).map(async ([name, value]) =>
      typeof value === 'string'
        ? { name, value, isSecret: false }
        : { name, value: await secrets.resolve(value), isSecret: true },
    ),
  );
  return {
    values: Object.fromEntries(resolved.map(({ name, value }) => [name, value])),
    hidden: resolved.filter(({ isSecret }) => isSecret).map(({ value }) => value),
  };
}

type Ended = {
  readonly code: number | null;
  readonly by: string | null;
  readonly output: Uint8Array;
  readonly errors: Uint8Array;
};

function ending(child: ChildProcess, source: CommandSource, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const output: Buffer[] = [];
    let errors = Buffer.alloc(0);
    let size = 0;
    const giveUp = (why: unknown): void => {
      over();
      killGroup(child);
      reject(why);
    };
    const timeout = setTimeout(() => {
      const isHeld = child.exitCode !== null || child.signalCode !== null;
      const what = isHeld ? 'it ended, and what it started still holds its output' : 'it did not end';
      giveUp(unreachable(source, `${what} within ${source.timeoutMs} ms`));
    }, source.timeoutMs);
    const stop = (): void => giveUp(signal.reason);
    const over = (): void => {
      clearTimeout(timeout);
      signal.removeEventListener('abort', stop);
    };
    signal.addEventListener('abort', stop, { once: true });
    child.stdout?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_INVENTORY_BYTES) giveUp(tooLong(source));
      else output.push(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = Buffer.concat([errors, chunk]).subarray(-KEPT_OF_ERRORS);
    });
    child.on('error', (cause) => {
      over();
      reject(unreachable(source, `it cannot be started: ${fileFault(cause)}`, { cause }));
    });
    child.once('close', (code, by) => {
      over();
      resolve({ code, by, output: Buffer.concat(output), errors });
    });
  });
}

/** The last line that it wrote of its errors, which is what a person would look at first. */
function lastWords(errors: Uint8Array, hidden: readonly string[]): string {
  const mask = createMask(hidden);
  // What was cut off at its beginning may be the half of a secret.
  if (errors.length >= KEPT_OF_ERRORS) mask.gap();
  const text = Buffer.concat([mask.write(errors), mask.end()]).toString();
  const line = oneLine(text.trimEnd().split('\n').at(-1) ?? '');
  return line === '' ? '' : `: ${line.slice(0, MOST_TOLD)}`;
}
