import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { tar } from '../../src/lib/tar.ts';
import { INSTALL } from '../../src/platforms/datacenter/install-script.ts';

/** A host that installs releases with the real script, in each shell that hosts have. */

export const SHELLS = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];
const busybox = requireService('busybox');
const root = mkdtempSync(join(tmpdir(), 'edge install-'));
after(() => rmSync(root, { recursive: true, force: true }));

export type Put = { readonly path: string; readonly mode: string; readonly text: string };

/** A folder with the programs of busybox alone. */
let applets: string | undefined;
function ownPrograms(): string {
  if (applets === undefined) {
    applets = mkdtempSync(join(root, 'applets-'));
    chmodSync(applets, 0o755);
    execFileSync(busybox.path ?? 'busybox', ['--install', '-s', applets]);
  }
  return applets;
}

/** A shell, with all of its own programs if it is to be, a folder and an archive to install. Times of files have whole seconds in busybox. */
export function hostWith(shell: readonly string[], { own = false } = {}) {
  const home = mkdtempSync(join(root, 'host-'));
  const folder = join(home, 'web');
  mkdirSync(join(home, 'content/bin'), { recursive: true });
  writeFileSync(join(home, 'content/bin/start'), 'go');
  const archive = join(home, 'web.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', join(home, 'content'), '.']);
  const [program = '', ...rest] = shell;
  const isBusybox = program === 'busybox';
  const path = isBusybox && own ? ownPrograms() : process.env.PATH;
  const runAs = (uid: number | undefined, script: string, work: string, ...values: readonly string[]) =>
    spawnSync(isBusybox ? (busybox.path ?? program) : program, [...rest, '-c', script, work, ...values], {
      encoding: 'utf8',
      env: { PATH: path, HOME: home },
      ...(uid !== undefined && { uid, gid: uid }),
    });
  const run = (script: string, work: string, ...values: readonly string[]) =>
    runAs(undefined, script, work, ...values);
  const install = (
    version: string,
    {
      keep = 5,
      artifacts = [archive, 'web.tar.gz', 'tar.gz'],
      token = 't1',
      at = folder,
      files = [] as readonly Put[],
      work = 'edge-install',
      anew = false,
    } = {},
  ) => {
    const bundle = join(home, 'files.tar');
    const entries = files.map(({ text }, n) => ({ path: String(n), mode: 0o600, data: Buffer.from(text) }));
    writeFileSync(bundle, tar(entries));
    const puts = files.flatMap(({ path, mode }, n) => [String(n), path, mode]);
    const start = [at, `${version}-aaaa`, `hash ${version}`, String(keep), token, bundle, anew ? 'anew' : ''];
    return run(INSTALL, work, ...start, ...artifacts, '--files', ...puts);
  };
  return { home, folder, archive, install, run, runAs };
}

/** Why a shell cannot be tried here, if so. */
export function whyWithout([program = '']: readonly string[]): string | undefined {
  if (program === 'busybox') return busybox.skip;
  return spawnSync(program, ['-c', 'true']).error && `${program} not found`;
}
