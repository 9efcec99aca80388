import { EdgeError } from '../../domain/errors.ts';
import type { CancelProof, HostAddress, RemoteStatus, RemoteTask } from '../../ports/hosts.ts';
import type { TaskDeps } from './detached-task.ts';
import { openScript, readHost } from './script-channel.ts';
import { statusOf } from './task-status.ts';
import { ConnectionLost } from './transport.ts';

/** The host itself gives up 10 s after the grace; the rest is for connections that break. */
const LIMIT_MS = 60_000;
const PAUSE_MS = 250;

export type CancelRequest = {
  readonly host: HostAddress;
  readonly task: RemoteTask;
  readonly graceMs: number;
};

/**
 * Cancels through one script that stays until no process is left. A connection that breaks on the way makes no difference:
 * the script is sent again, and what it does may be done twice. `before` is what the first of them saw.
 */
export async function cancelTask(deps: TaskDeps, request: CancelRequest): Promise<CancelProof> {
  const signal = AbortSignal.timeout(Math.ceil(request.graceMs) + LIMIT_MS);
  const seen: Seen = { before: undefined, reached: false };
  for (;;) {
    try {
      return await cancelOnce(deps, { ...request, seen, signal });
    } catch (error) {
      if (signal.aborted) return { gone: false, seen: 'the host did not answer to the end' };
      if (!mayAskAgain(error, seen)) throw error;
      await deps.clock.sleep(PAUSE_MS, signal);
    }
  }
}

function mayAskAgain(error: unknown, seen: Seen): boolean {
  return (
    error instanceof ConnectionLost ||
    (seen.reached && error instanceof EdgeError && error.code === 'host_unreachable')
  );
}

type Seen = { before: RemoteStatus | undefined; reached: boolean };
type Attempt = CancelRequest & { readonly seen: Seen; readonly signal: AbortSignal };

async function cancelOnce(
  deps: TaskDeps,
  { host, task, graceMs, seen, signal }: Attempt,
): Promise<CancelProof> {
  const rounds = Math.ceil(graceMs / 100);
  const request = { host, verb: 'cancel', id: task.id, args: [rounds], sudoUser: task.sudoUser } as const;
  const script = await openScript(deps.pool, request, signal);
  script.discardOutput();
  try {
    await readHost(script, signal);
    seen.reached = true;
    for (;;) {
      const said = await script.expect(signal);
      if (said.word === 'gone' && seen.before) return { gone: true, before: seen.before };
      if (said.word === 'left')
        return { gone: false, seen: `still running: process ${said.values.join(', ')}` };
      seen.before ??= statusOf(said, task);
    }
  } finally {
    script.close();
  }
}
