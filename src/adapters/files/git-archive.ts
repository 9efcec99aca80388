import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { GitArtifact } from '../../domain/artifact.ts';
import { EdgeError } from '../../domain/errors.ts';
import { fileFault } from '../../lib/file-fault.ts';
import { killGroup } from '../../outbound/kill-group.ts';

export type GitRun = {
  /** Is made, and removed afterwards. */
  readonly workFolder: string;
  /** The archive; what is there is replaced. */
  readonly to: string;
  readonly authorization?: string;
  /** Of this process; only what leads to programs, and to keys of SSH, is handed on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** For all of it; left out: half an hour. */
  readonly limitMs?: number;
};

const LIMIT_MS = 1_800_000;
/** A connection on which nothing comes for so long is given up. A server that gathers a pack says so every five seconds. */
const SILENT_SECONDS = 120;
const SSH = `ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=${SILENT_SECONDS / 4} -o ServerAliveCountMax=4`;
/** Only these ways to a repository: others run a command that the address names. */
const PROTOCOLS = 'https:http:ssh:file';
const MOST_ERROR_BYTES = 8_192;
const HANDED_ON = [
  'PATH',
  'HOME',
  'SSH_AUTH_SOCK',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTPS_PROXY',
  'NO_PROXY',
];

/**
 * Writes a commit as .tar.gz, the same bytes each time: `git archive` takes all times from the commit, and compression has no settings of
 * the machine. Rejects with `artifact_unreadable`, and `artifact_unreachable` where no repository answers.
 */
export async function archiveCommit(wanted: GitArtifact, run: GitRun): Promise<void> {
  const { workFolder, limitMs = LIMIT_MS } = run;
  const deadline = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([run.signal, deadline]);
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true, mode: 0o700 });
  try {
    const git = gitIn(workFolder, run, signal);
    await git(['init', '--quiet', '--bare', '.']).ended;
    await fetched(wanted, git);
    const paths = wanted.folder === undefined ? [] : [wanted.folder];
    const archive = git(['archive', '--format=tar', wanted.commit, '--', ...paths]);
    const written = pipeline(
      archive.stdout,
      createGzip({ level: 6 }),
      createWriteStream(run.to, { mode: 0o600 }),
      { signal },
    );
    const [ended] = await Promise.allSettled([archive.ended, written]);
    if (ended.status === 'rejected') throw ended.reason;
    await written;
  } catch (thrown) {
    run.signal.throwIfAborted();
    if (deadline.aborted) throw new GitFault(`it timed out after ${limitMs / 1_000} s`).asError(wanted);
    if (thrown instanceof GitFault) throw thrown.asError(wanted);
    throw thrown;
  } finally {
    // Some of git may still be about to end.
    await rm(workFolder, { recursive: true, force: true, maxRetries: 5 });
  }
}

type Git = (args: readonly string[]) => {
  readonly stdout: NodeJS.ReadableStream;
  readonly ended: Promise<void>;
};

/** The commit alone; a server that gives no commit by its id gives its branches and tags. */
async function fetched({ repository, commit }: GitArtifact, git: Git): Promise<void> {
  const fetch = (...more: readonly string[]) =>
    git(['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', ...more]).ended;
  try {
    await fetch('--depth=1', '--end-of-options', repository, commit);
  } catch (thrown) {
    if (!(thrown instanceof GitFault) || !/not our ref|unadvertised object|not allow/i.test(thrown.said))
      throw thrown;
    await fetch('--end-of-options', repository, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*');
  }
}

class GitFault extends Error {
  readonly said: string;

  constructor(said: string) {
    super(said);
    this.said = said;
  }

  asError({ repository, commit }: GitArtifact): EdgeError {
    const away = /could not resolve host|connection|timed out|too slow|unable to access|hung up/i.test(
      this.said,
    );
    const why = this.said.trim().split('\n').at(-1) ?? '';
    return new EdgeError(
      away && !/\b40[0-9]\b/.test(this.said) ? 'artifact_unreachable' : 'artifact_unreadable',
      `The commit ${commit} of ${repository} cannot be read: ${why}`,
      { cause: this },
    );
  }
}

/** No settings of the machine's or of a user, no question to anybody; what logs in is in no command line. */
function gitIn(folder: string, { authorization, environment }: GitRun, signal: AbortSignal): Git {
  const settings = [
    ['http.followRedirects', 'false'],
    ['http.lowSpeedLimit', '1'],
    ['http.lowSpeedTime', String(SILENT_SECONDS)],
    ['core.hooksPath', '/dev/null'],
    ['tar.umask', '0022'],
    ...(authorization === undefined ? [] : [['http.extraHeader', `Authorization: ${authorization}`]]),
  ];
  const env = {
    ...Object.fromEntries(
      HANDED_ON.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
    ),
    ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' },
    ...{ GIT_ALLOW_PROTOCOL: PROTOCOLS, GIT_SSH_COMMAND: SSH },
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], n) => [
        [`GIT_CONFIG_KEY_${n}`, key],
        [`GIT_CONFIG_VALUE_${n}`, value],
      ]),
    ),
  };
  return (args) => {
    signal.throwIfAborted();
    // With a group of its own: who speaks to the repository is a child of git.
    const child = spawn('git', args, {
      ...{ cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    });
    const end = (): void => killGroup(child);
    signal.addEventListener('abort', end, { once: true });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < MOST_ERROR_BYTES) said += text;
    });
    const ended = new Promise<void>((resolve, reject) => {
      child.on('error', (cause) => reject(new GitFault(`git cannot be run: ${fileFault(cause)}`)));
      child.on('close', (code) => {
        signal.removeEventListener('abort', end);
        if (code === 0) resolve();
        else reject(new GitFault(said || `git ended with ${code}`));
      });
    });
    if (args[0] !== 'archive') child.stdout.resume();
    ended.catch(() => {});
    return { stdout: child.stdout, ended };
  };
}
