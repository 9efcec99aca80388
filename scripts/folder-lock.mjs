// A lock between processes of one machine: a folder, because mkdir either makes it or fails.
// Runs on the machine's own Node: plain JavaScript, syntax of Node 18, no package.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const waitTimeoutMs = 10 * 60_000;
const pollMs = 100;
/** How long a folder without an owner's pid may be one that is just being made. */
const ownerlessGraceMs = 5_000;

/**
 * Runs `action` while no other process holds `folder`; the lock of a process that has died is taken over.
 * @template T
 * @param {string} folder
 * @param {() => T} action synchronous
 * @returns {T}
 */
export function withFolderLock(folder, action) {
  const giveUpAt = Date.now() + waitTimeoutMs;
  while (!tryLock(folder)) {
    if (isAbandoned(folder)) clearAbandoned(folder);
    else if (Date.now() > giveUpAt)
      throw new Error(`another process holds ${folder}; remove it if none runs`);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pollMs);
  }
  try {
    return action();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ownerFile = (folder) => join(folder, 'pid');

function tryLock(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
  writeFileSync(ownerFile(folder), String(process.pid));
  return true;
}

function isAbandoned(folder) {
  const pid = ownerOf(folder);
  if (pid > 0) return !isAlive(pid);
  const madeAt = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  return Date.now() - madeAt > ownerlessGraceMs;
}

function ownerOf(folder) {
  try {
    return Number(readFileSync(ownerFile(folder), 'utf8'));
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Renames before it removes: of several that clear at once, one succeeds. */
function clearAbandoned(folder) {
  const grave = `${folder}.${process.pid}`;
  try {
    renameSync(folder, grave);
  } catch {
    return;
  }
  rmSync(grave, { recursive: true, force: true });
}
