import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { INSTALL } from '../../src/platforms/datacenter/install-script.ts';

/** What attacks try to write, beside the `ran` of `hostileText`. */
export const EVIL = 'edge-fuzz-evil';
const KEPT = 'as it was';
/** A host does nothing here that takes a second; what does not end is told. */
const PATIENCE_MS = 60_000;

export type Ended = {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
};
export type Installing = {
  /** For each: its file, its name, and how it is unpacked. */
  readonly artifacts?: readonly string[];
  /** A tar with the property files. */
  readonly bundle?: Uint8Array;
  /** For each property file: its name in the bundle, its path, its mode. */
  readonly puts?: readonly string[];
};

/**
 * A folder in which a real shell does what a host does, with everything beside it that must stay as it is: `canary/kept`, and nothing else
 * outside of `home/web`.
 */
export class RealHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'edge-fuzz-'));
  readonly home = join(this.folder, 'home');
  /** Where commands are run. */
  readonly work = join(this.folder, 'work');
  readonly canary = join(this.folder, 'canary');
  readonly release = join(this.home, 'web/releases/1.0-aaaa');

  constructor() {
    for (const path of [this.home, this.work, this.canary]) mkdirSync(path);
    this.#reset();
  }

  #reset(): void {
    rmSync(this.canary, { recursive: true, force: true });
    mkdirSync(this.canary);
    writeFileSync(join(this.canary, 'kept'), KEPT);
  }

  /** Runs a POSIX shell; a folder of programs to take before the system's may be given. */
  sh(args: readonly string[], { input = '', bin = '' } = {}): Promise<Ended> {
    const path = [bin, process.env.PATH].filter((part) => part !== '').join(':');
    const child = spawn('/bin/sh', args, {
      cwd: this.work,
      env: { PATH: path, HOME: this.home },
      // A group of its own: what the shell waits for may be what does not end.
      detached: true,
    });
    const tooLong = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), PATIENCE_MS);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => out.push(piece));
    child.stderr.on('data', (piece: Buffer) => err.push(piece));
    // A shell that ends before it has read all.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', () => clearTimeout(tooLong));
      child.on('close', (status) =>
        resolve({ status, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
      );
    });
  }

  /** The script that installs a release, as an action sends it. */
  async install({ artifacts = [], bundle, puts = [] }: Installing, bin = ''): Promise<Ended> {
    const made = join(this.folder, 'bundle');
    if (bundle) writeFileSync(made, bundle);
    const start = [join(this.home, 'web'), '1.0-aaaa', 'hash', '5', 't1', bundle ? made : '', ''];
    return this.sh(['-c', INSTALL, 'edge-install', ...start, ...artifacts, '--files', ...puts], { bin });
  }

  /** What is there and should not be, or is not as it was; puts it back, so that each is told once. */
  harm(): readonly string[] {
    const found = [
      ...strangers(this.folder, ['home', 'work', 'canary', 'bundle', 'state', 'bin', 'sent']),
      ...strangers(this.home, ['web']),
      ...strangers(this.work, []),
      ...strangers(this.canary, ['kept']),
      ...strangers(join(this.home, 'web'), ['releases', 'current', 'previous']),
      ...strangers(join(this.home, 'web/releases'), ['1.0-aaaa']),
      ...[tmpdir(), dirname(tmpdir()), '/'].map((at) => join(at, EVIL)).filter((path) => existsSync(path)),
    ];
    for (const path of found) removeAll(path);
    const kept = join(this.canary, 'kept');
    if (existsSync(kept) && readFileSync(kept, 'utf8') === KEPT) return found;
    this.#reset();
    return [...found, `${kept} was changed`];
  }

  /** Forgets what was installed. */
  clear(): void {
    removeAll(join(this.home, 'web'));
  }

  close(): void {
    removeAll(this.folder);
  }
}

/** Also what an archive has made a folder of that nobody may write in; only root needs no leave for that. */
function removeAll(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    spawnSync('find', [folder, '-type', 'd', '-exec', 'chmod', 'u+rwx', '{}', ';']);
    rmSync(folder, { recursive: true, force: true });
  }
}

function strangers(folder: string, known: readonly string[]): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !known.includes(name))
    .map((name) => join(folder, name));
}
