import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { remoteTaskId } from '../../src/domain/ids.ts';
import type { HostAddress, RemoteTask } from '../../src/ports/hosts.ts';
import { seeded } from './seeded.ts';

export type ChaosOptions = {
  readonly sshdPath: string;
  readonly network: string;
  readonly seed: number;
  readonly tasks: number;
  readonly hosts: number;
  readonly parallel: number;
  readonly maxSeconds: number;
  readonly maxOutputBytes: number;
  /** Tasks whose supervisor is killed, and tasks whose cancel races their start. */
  readonly kills: number;
  readonly cancels: number;
  /** How the hosts are reached, if not as usual. */
  readonly how?: Partial<HostAddress>;
};

/** Starts of one task at the same moment, each by a worker of its own. */
export const STARTERS = 3;
const SLICES = 8;

/**
 * Writes its line, then slices of a file of random bytes with pauses between them, then that it came to its end. So what it
 * did can be told from outside: how often it ran, whether to the end, and what its output must be.
 */
const SCRIPT =
  'echo run >>"$1"; i=0; while [ $i -lt $6 ]; do tail -c "+$(($3 + i * $4 + 1))" "$2" | head -c "$4"; sleep "$5"; i=$((i + 1)); done; ' +
  'echo end >>"$1"; exit "$7"';

/** One task, what it must give, and what befalls it. */
export type Case = {
  readonly task: RemoteTask;
  readonly host: number;
  readonly record: string;
  readonly code: number;
  readonly size: number;
  readonly sha256: string;
  readonly seconds: number;
  readonly fate: 'plain' | 'kill' | 'cancel';
  /** Moments at which something breaks for one of the starters, in ms after the start. */
  readonly breaks: readonly {
    readonly atMs: number;
    readonly starter: number;
    readonly kind: 'cut' | 'kill-session' | 'worker';
  }[];
  readonly interfereMs: number;
};

/** Draws the tasks from the seed, and writes the random bytes that they put out. */
export async function makeCases(
  options: ChaosOptions,
  place: { folder: string; sudoUser: string | undefined },
): Promise<Case[]> {
  const random = seeded(options.seed);
  const blob = randomBytes(options.maxOutputBytes * 2);
  const blobFile = join(place.folder, 'blob');
  await writeFile(blobFile, blob, { mode: 0o644 });
  const records = join(place.folder, 'records');
  await mkdir(records);
  await chmod(records, 0o1777);
  return Array.from({ length: options.tasks }, (_, n) => {
    // Most outputs are small and a few large, as in life.
    const slice = Math.floor((random() ** 3 * options.maxOutputBytes) / SLICES);
    const from = Math.floor(random() * options.maxOutputBytes);
    const seconds = random() * options.maxSeconds;
    const code = random() < 0.5 ? 0 : 1 + Math.floor(random() * 254);
    const record = join(records, String(n));
    const size = slice * SLICES;
    const words = [record, blobFile, from, slice, (seconds / SLICES).toFixed(3), SLICES, code];
    const breaks = Array.from({ length: 1 + Math.floor(random() * 5) }, () => ({
      atMs: random() * (seconds * 1000 + 500),
      starter: Math.floor(random() * STARTERS),
      kind: pick(random(), ['cut', 'cut', 'cut', 'kill-session', 'worker'] as const),
    }));
    return {
      task: {
        id: remoteTaskId(
          createHash('sha256').update(`${options.seed}/${n}/${place.folder}`).digest('hex').slice(0, 32),
        ),
        argv: ['sh', '-c', SCRIPT, 'sh', ...words.map(String)],
        env: {},
        secrets: [],
        outputLimitBytes: options.maxOutputBytes + 1_000,
        ...(n % 2 === 1 && place.sudoUser !== undefined && { sudoUser: place.sudoUser }),
      },
      host: n % options.hosts,
      record,
      code,
      size,
      sha256: createHash('sha256')
        .update(blob.subarray(from, from + size))
        .digest('hex'),
      seconds,
      fate: n < options.kills ? 'kill' : n < options.kills + options.cancels ? 'cancel' : 'plain',
      breaks: breaks.sort((a, b) => a.atMs - b.atMs),
      interfereMs: n < options.kills ? random() * seconds * 1000 : random() * 60,
    };
  });
}

function pick<T>(random: number, items: readonly T[]): T {
  return items[Math.floor(random * items.length)] ?? missing();
}

/** What an index names is there: it was drawn from the length. */
export function missing(): never {
  throw new Error('there is none of that number');
}
