import type { ChildProcess } from 'node:child_process';

/**
 * Ends a program of this machine that was started `detached`, with all that it started, and reads no more of it. Its group has the id of its
 * first process while that has not been reaped, and only then: later the id may be another's.
 */
export function killGroup(child: ChildProcess): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
