import type { HostIdentity, RemoteStatus, RemoteTask } from '../../ports/hosts.ts';
import type { Said } from './script-channel.ts';

const UNKNOWN: Readonly<Record<string, string>> = {
  torn: 'the claim on the host was not written whole',
  supervisor: 'the supervisor of the task died; its command may still run',
  reboot: 'the host was restarted after the task began',
};

/** A line of `e_report` as a status; `undefined` for a line that is none. */
export function statusOf(said: Said, task: Pick<RemoteTask, 'outputLimitBytes'>): RemoteStatus | undefined {
  const [first = '', second = ''] = said.values;
  switch (said.word) {
    case 'none':
      return { kind: 'none' };
    case 'cancelled':
      return { kind: 'cancelled' };
    case 'changed':
      return { kind: 'changed' };
    case 'refused':
      return { kind: 'refused', why: said.values.join(' ') };
    case 'running':
      return { kind: 'running', outputBytes: Number(first) };
    case 'unknown':
      return { kind: 'unknown', seen: UNKNOWN[first] ?? first };
    case 'exited': {
      const outputBytes = Number(second);
      const droppedBytes = Math.max(0, outputBytes - task.outputLimitBytes);
      return { kind: 'exited', code: Number(first), outputBytes, droppedBytes };
    }
    default:
      return undefined;
  }
}

/** "Never started" is true only on the very host and boot of the dispatch: else the claim may have been lost with them. */
export function differs(
  expected: HostIdentity | undefined,
  seen: HostIdentity,
): { readonly kind: 'unknown'; readonly seen: string } | undefined {
  if (!expected) return undefined;
  if (expected.hostId !== seen.hostId) {
    return {
      kind: 'unknown',
      seen: `the host has no trace of the task, and its id is ${seen.hostId} instead of ${expected.hostId}`,
    };
  }
  if (expected.bootId !== seen.bootId) {
    return {
      kind: 'unknown',
      seen: 'the host has no trace of the task, and was restarted since the task was sent to it',
    };
  }
  return undefined;
}

/** A refusal that need not be the last word, since another start may be on its way. */
export const mayStillStart = ({ word, values }: Said): RemoteStatus => ({
  kind: 'unknown',
  seen: `the host did not start it now (${[word, ...values].join(' ')}), but it was sent more than once`,
});
