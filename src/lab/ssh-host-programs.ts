import { constants } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STARTED_LOG } from './started-log.ts';

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const NO_SUDO = `#!/bin/sh
echo 'sudo: the lab has no sudo; its hosts run everything as the user who started the lab' >&2
exit 1
`;

/**
 * A detached task starts its command as `setsid -- program …`, once, with EDGE_TASK_ID set (contract C17). Here the
 * host writes that down by itself, so that what ran twice can be counted without believing the claim files.
 */
const recordingSetsid = (setsid: string): string => `#!/bin/sh
if [ -n "\${EDGE_TASK_ID:-}" ] && [ "\${1:-}" = -- ]; then
  printf '%s %s\\n' "$EDGE_TASK_ID" "\${2:-}" >>"$HOME/${STARTED_LOG}"
fi
exec ${setsid} "$@"
`;

/** What commands of a host find programs by: the lab's own folder, then the system's. */
export function searchPath(folder: string): string {
  return [programFolder(folder), ...SYSTEM_FOLDERS].join(':');
}

/** Writes the lab's own programs: a sudo that refuses and, where the system has setsid, one that records starts. */
export async function writePrograms(folder: string): Promise<void> {
  await mkdir(programFolder(folder), { recursive: true });
  await writeProgram(folder, 'sudo', NO_SUDO);
  const setsid = await findProgram('setsid');
  if (setsid) await writeProgram(folder, 'setsid', recordingSetsid(setsid));
}

const programFolder = (folder: string): string => join(folder, '.lab/bin');

async function writeProgram(folder: string, name: string, script: string): Promise<void> {
  await writeFile(join(programFolder(folder), name), script, { mode: 0o755 });
}

async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of SYSTEM_FOLDERS) {
    const path = join(folder, name);
    if (await canRun(path)) return path;
  }
  return undefined;
}

async function canRun(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
