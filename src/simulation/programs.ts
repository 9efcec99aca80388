import type { Behaviour } from '../adapters/memory/behaviour.ts';
import type { MemoryHost } from '../adapters/memory/host.ts';
import { type ReleaseId, releaseId } from '../domain/ids.ts';
import { GONE } from '../platforms/datacenter/install-script.ts';
import type { RemoteTask } from '../ports/hosts.ts';
import type { Draw } from './draw.ts';
import type { CommandKind, Tell } from './facts.ts';
import type { Faults } from './faults.ts';
import { CHANGE, LOOK } from './scenario.ts';
import type { Service } from './service.ts';

export type ProgramParts = {
  readonly target: string;
  readonly host: MemoryHost;
  readonly service: Service;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly tell: Tell;
};

/** What a command of the product does on a simulated host: the scripts of the datacenter platform, known by their arguments. */
export function behaviourOf(parts: ProgramParts, task: RemoteTask): Behaviour {
  const { target, draw, faults, tell } = parts;
  const what = kindOf(task.argv);
  const code = faults.strikes('command.fails') ? draw.int(1, 100) : exitOf(parts, what, task.argv);
  const durationMs = faults.strikes('command.slow') ? slowMs(draw) : draw.skewed(50, 3_000);
  return {
    durationMs,
    code,
    output: outputOf(parts, { task, what, durationMs }),
    ...(task.script && { outputs: outputsOf(parts, task.script) }),
    ignoresTerm: faults.strikes('command.ignores-term'),
    onStart: () => tell({ kind: 'command.started', target, what, task }),
    onEnd: (how) => {
      // Nobody can say how far one came that was killed.
      if (how === 'exited' ? code === 0 : draw.chance(0.5)) effect(parts, what, task.argv);
      tell({ kind: 'command.ended', target, what, task, how, code });
    },
  };
}

/** Some would never end: longer than any deadline, and than anybody waits for the end of a run. */
const NEVER_MS = 12 * 3_600_000;
const slowMs = (draw: Draw): number => (draw.chance(0.4) ? NEVER_MS : draw.int(5_000, 90_000));

function kindOf(argv: readonly string[]): CommandKind {
  switch (argv[3]) {
    case 'edge-fetch':
      return 'fetch';
    case 'edge-install':
      return 'install';
    case 'stop':
      return 'stop';
    default:
      if (argv[0] === 'current/bin/stop') return 'stop';
      if (argv[0] === CHANGE) return 'change';
      if (argv[0] === LOOK) return 'look';
      return argv[0] === 'current/bin/start' ? 'start' : 'other';
  }
}

/** Of a script that gives something; now and then it writes what it should not. */
function outputsOf({ draw }: ProgramParts, { content }: NonNullable<RemoteTask['script']>): string {
  if (!content.includes('count')) return '';
  return draw.chance(0.05) ? 'rows=many\n' : `rows=${draw.int(0, 1_000)}\n`;
}

type Said = { readonly task: RemoteTask; readonly what: CommandKind; readonly durationMs: number };

function outputOf(
  { draw, target }: ProgramParts,
  { task, what, durationMs }: Said,
): NonNullable<Behaviour['output']> {
  const lines = draw.int(0, 4);
  return Array.from({ length: lines }, (_, n) => ({
    atMs: Math.floor((durationMs * n) / Math.max(1, lines)),
    text: `${what} ${target} ${n} ${task.env.TOKEN ?? ''} ${'x'.repeat(draw.skewed(0, 200))}\n`,
  }));
}

/** `sh -c <script> edge-install <folder> <release id> …` */
export const releaseOf = (argv: readonly string[]): ReleaseId => releaseId(argv[5] ?? '');

/** The mark that an install leaves in the folder of a release: an upload for one that is whole is needless. */
export const isMarked = ({ installed }: Service, { path }: { readonly path: string }): boolean => {
  const [, release] = /\/releases\/([^/]+)\/\.edge-release$/.exec(path) ?? [];
  return release !== undefined && installed.has(releaseId(release));
};

/** With what it ends, as far as it depends on the host. */
function exitOf({ service, host }: ProgramParts, what: CommandKind, argv: readonly string[]): number {
  if (what === 'start') return service.exitOfStart();
  return what === 'install' || what === 'fetch' ? exitOfBringing(argv, service, host) : 0;
}

/** What a fetch or an install needs of its host: artifacts only if the release is to be made whole, the property files always. */
export function exitOfBringing(
  argv: readonly string[],
  service: ProgramParts['service'],
  { files }: ProgramParts['host'],
): number {
  const { artifacts, bundle } = uploadsOf(argv);
  const needed = work(argv, service) === 'take' ? [] : artifacts;
  if (!needed.every((path) => files.has(path))) return GONE;
  return bundle.every((path) => files.has(path)) ? 0 : 2;
}

/**
 * What it does for the folder of the release. Where it may be put there anew, a hand has changed the current one, which a fetch leaves to
 * the install.
 */
function work(
  argv: readonly string[],
  { installed, current }: ProgramParts['service'],
): 'unpack' | 'take' | 'leave' {
  const release = releaseOf(argv);
  const { anew } = uploadsOf(argv);
  if (!installed.has(release)) return 'unpack';
  if (!anew || current !== release) return 'take';
  return argv[3] === 'edge-fetch' ? 'leave' : 'unpack';
}

/**
 * Arguments of a fetch and of an install: folder, release, hash, keep, token, the archive of property files (or nothing), `anew` (or nothing), then (uploaded file, name, how
 * to unpack) of each artifact, then `--files`.
 */
export function uploadsOf(argv: readonly string[]) {
  const [bundle = '', anew, ...triples] = argv.slice(9, argv.indexOf('--files'));
  return {
    anew: anew === 'anew',
    artifacts: triples.filter((_, index) => index % 3 === 0),
    bundle: bundle === '' ? [] : [bundle],
  };
}

/** An install removes what was uploaded for it. */
export function removeUploads(argv: readonly string[], { files }: ProgramParts['host']): void {
  const { artifacts, bundle } = uploadsOf(argv);
  for (const path of [...artifacts, ...bundle]) files.delete(path);
}

/** The current one, where it is to be put there anew, is left to the install, with what was uploaded for it. */
export function fetchRelease(
  argv: readonly string[],
  { service, host }: Pick<ProgramParts, 'service' | 'host'>,
): void {
  if (work(argv, service) === 'leave') return;
  service.fetch(releaseOf(argv));
  removeUploads(argv, host);
}

function effect({ service, host }: ProgramParts, what: CommandKind, argv: readonly string[]): void {
  switch (what) {
    case 'fetch':
      fetchRelease(argv, { service, host });
      return;
    case 'install':
      service.install(releaseOf(argv));
      removeUploads(argv, host);
      return;
    case 'stop':
      service.stop('edge');
      return;
    case 'start':
      service.start('edge');
      return;
    case 'check':
    case 'reload':
    case 'change':
    case 'look':
    case 'other':
      return;
    default:
      what satisfies never;
  }
}
