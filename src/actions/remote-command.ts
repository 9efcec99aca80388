import { z } from 'zod';
import { asEdgeError, CATALOGUE, EdgeError } from '../domain/errors.ts';
import { parseTaskId, remoteTaskId, type TaskId, taskId } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { SecretRef } from '../domain/secret.ts';
import { hashOf } from '../lib/hash.ts';
import type { Json } from '../lib/json.ts';
import { Utf8Reader } from '../lib/utf8.ts';
import type { ActionContext, Cancelled } from '../ports/action.ts';
import type { HostAddress, RemoteScript, RemoteStatus, RemoteTask } from '../ports/hosts.ts';
import { outcomeOfError } from './define.ts';
import { LastLines } from './last-lines.ts';
import { ProgressLines } from './progress-lines.ts';

/** How often an unreachable host is looked at again while a command may run there; the last one repeats. */
const LOOK_AGAIN_MS = [2_000, 5_000, 10_000, 20_000, 30_000] as const;
/** What a host keeps of a command's output: more than the worker sends to the board (see worker/output.ts). */
const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024;

/**
 * Output is passed on in pieces of this size, each with its checkpoint. Were every byte to become U+FFFD, which has three, a
 * piece would still go to the board as one chunk: nobody who goes on from there reads a part of it again.
 */
const PIECE_BYTES = 16 * 1024;

/** What is remembered of a dispatched command: the host as it was seen then, and the output that is on the board already. */
export const dispatched = z.object({
  identity: z.object({ bootId: z.string(), hostId: z.string() }),
  offset: z.number(),
  /** Looks in a row at which the host did not answer. */
  misses: z.number(),
});
export type Dispatched = z.infer<typeof dispatched>;

/** A command on a host. `ordinal` tells the commands of one task apart; each starts at most once. */
export type RemoteCommand = {
  readonly host: HostAddress;
  readonly ordinal: number;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string | SecretRef>> | undefined;
  /** Secrets that its output must not show, beside those of `env`. While one of them cannot be told here, nothing of it is shown. */
  readonly mask?: readonly SecretRef[] | undefined;
  readonly cwd?: string | undefined;
  readonly sudoUser?: string | undefined;
  readonly outputLimitBytes?: number | undefined;
  /** A script whose file is the last word of `argv`. */
  readonly script?: RemoteScript | undefined;
};

/** Where the command stands in the action's checkpoint, and where its output goes. */
export type CommandProgress = {
  readonly dispatched: Dispatched | null;
  /** The action's whole checkpoint with this command's part in it. */
  readonly checkpoint: (dispatched: Dispatched) => Json;
  /** Instead of the task's log: the output is wanted by the action, from its first byte. */
  readonly capture?: (text: string) => void;
};

export type CommandEnd =
  | {
      readonly kind: 'exited';
      readonly code: number;
      readonly outputBytes: number;
      readonly droppedBytes: number;
      readonly lastLines: string;
      /** Of a script: what it wrote for later steps, masked; left out where that cannot be done here. */
      readonly outputs?: string;
    }
  /** Not ended, or not known: this is what the action returns. */
  | { readonly kind: 'open'; readonly outcome: Outcome };

/** The id under which a host knows a command (contract C17). */
export function remoteIdOf(task: TaskId, ordinal: number): RemoteTask['id'] {
  return remoteTaskId(hashOf([task, ordinal]).slice(0, 32));
}

/**
 * Starts a command if it never started, attaches if it did, and follows it to its end. The intent, with the host's identity,
 * is on the board before anything can start. A host that does not answer while the command may run is looked at again later.
 */
export async function runCommand(
  context: ActionContext,
  command: RemoteCommand,
  progress: CommandProgress,
): Promise<CommandEnd> {
  const { task, untold } = await remoteTaskOf(context, command);
  let seen = progress.dispatched;
  const lastLines = new LastLines();
  const progressLines = new ProgressLines((line) => context.progress(line));
  const text = new Utf8Reader();
  const log = async (part: string, offset: number): Promise<void> => {
    if (seen) seen = { ...seen, offset, misses: 0 };
    await context.output(part, seen ? progress.checkpoint(seen) : undefined);
  };
  try {
    const status = await context.ports.hosts.run(command.host, task, {
      ...(seen && { expect: seen.identity }),
      fromOffset: progress.capture ? 0 : (seen?.offset ?? 0),
      onDispatch: async (identity) => {
        if (seen) return;
        const first = { identity, offset: 0, misses: 0 };
        await context.saveCheckpoint(progress.checkpoint(first));
        seen = first;
      },
      onOutput: async ({ offset, data }) => {
        if (untold !== undefined) {
          if (lastLines.text() === '') {
            lastLines.add(untold);
            await context.output(untold, undefined);
          }
          return;
        }
        for (let from = 0; from < data.byteLength; from += PIECE_BYTES) {
          const piece = data.subarray(from, from + PIECE_BYTES);
          const part = text.read(piece);
          lastLines.add(part);
          progressLines.add(part);
          if (progress.capture) progress.capture(part);
          else await log(part, offset + from + piece.byteLength - text.held);
        }
      },
      signal: context.signal,
    });
    const { held } = text;
    if (!progress.capture && held > 0) await log(text.end(), (seen?.offset ?? 0) + held);
    return endOf(untold === undefined ? status : withoutOutputs(status), lastLines.text(), command.host);
  } catch (thrown) {
    if (context.signal.aborted) throw thrown;
    return { kind: 'open', outcome: notSeen(context, thrown, seen, progress) };
  }
}

/** What a script gave may hold what cannot be masked here. */
function withoutOutputs(status: RemoteStatus): RemoteStatus {
  if (status.kind !== 'exited') return status;
  const { outputs: _, ...rest } = status;
  return rest;
}

function endOf(status: RemoteStatus, lastLines: string, host: HostAddress): CommandEnd {
  switch (status.kind) {
    case 'exited':
      return { ...status, lastLines };
    case 'cancelled':
      return { kind: 'open', outcome: cancelledBefore };
    case 'changed':
      return { kind: 'open', outcome: changedScript };
    case 'refused':
      return { kind: 'open', outcome: notStarted(host, status.why) };
    case 'unknown':
      return { kind: 'open', outcome: { kind: 'unknown', seen: status.seen } };
    case 'none':
    case 'running': {
      const seen = `the host said \`${status.kind}\` of a command that was to be followed to its end`;
      return { kind: 'open', outcome: { kind: 'unknown', seen } };
    }
    default:
      return status satisfies never;
  }
}

const cancelledBefore: Outcome = {
  kind: 'failed',
  error: {
    code: 'task_cancelled',
    message: 'The command was cancelled before it started.',
    cause: 'cancelled',
  },
  retryable: false,
};

const changedScript: Outcome = {
  kind: 'failed',
  error: {
    code: 'script_changed',
    message:
      'The script that arrived on the host does not have the SHA-256 of the plan; nothing of it was started.',
    cause: 'command',
  },
  retryable: false,
};

function notStarted({ name }: HostAddress, why: string): Outcome {
  return outcomeOfError(new EdgeError('host_unfit', `Nothing was started on ${name}: ${why}`));
}

/** The host could not be asked. Before the dispatch nothing can have started; after it the command may run at this moment. */
function notSeen(
  context: ActionContext,
  thrown: unknown,
  seen: Dispatched | null,
  progress: CommandProgress,
): Outcome {
  const error = asEdgeError(thrown);
  if (!error.code.startsWith('host_')) throw error;
  const { retryable } = CATALOGUE[error.code];
  if (!seen) return outcomeOfError(error);
  const text = `${error.message}; the command may still run on the host`;
  if (!retryable || context.remainingMs() <= 0) return { kind: 'unknown', seen: text };
  return {
    kind: 'wait',
    checkpoint: progress.checkpoint({ ...seen, misses: seen.misses + 1 }),
    wakeAfterMs: LOOK_AGAIN_MS[Math.min(seen.misses, LOOK_AGAIN_MS.length - 1)] ?? 30_000,
    progress: text,
  };
}

/** Ends a command and proves it. Without a dispatch on the board nothing can have started, nor can it any more. */
export async function cancelCommand(
  context: ActionContext,
  command: RemoteCommand,
  options: { readonly wasDispatched: boolean; readonly graceMs: number },
): Promise<Cancelled> {
  if (!options.wasDispatched) return { gone: true, note: 'it had not started' };
  const { task } = await remoteTaskOf(context, command);
  const proof = await context.ports.hosts.cancel(command.host, task, options.graceMs);
  if (!proof.gone) return proof;
  return { gone: true, note: noteOf(proof.before) };
}

/** A command is repeated under new ordinals a few times at most. */
const EARLIER_ORDINALS = 6;

/**
 * Before a command of a step that a person has had tried again: ends those of the attempt groups before, of which nobody saw the end,
 * so that none of them undoes later what this one does. Gives an outcome where one of them cannot be proven gone; rejects if the host
 * does not answer. Nothing to do in the first group.
 */
export async function endEarlierGroups(
  context: ActionContext,
  command: RemoteCommand,
  graceMs: number,
): Promise<Outcome | undefined> {
  const { group, ...key } = parseTaskId(context.task);
  if (group === 0) return undefined;
  const { task } = await remoteTaskOf(context, command);
  for (let earlier = 0; earlier < group; earlier += 1) {
    for (let ordinal = 0; ordinal < EARLIER_ORDINALS; ordinal += 1) {
      const id = remoteIdOf(taskId({ ...key, group: earlier }), ordinal);
      const proof = await context.ports.hosts.cancel(command.host, { ...task, id }, graceMs);
      if (!proof.gone)
        return {
          kind: 'unknown',
          seen: `what was run of it before may still run, and nothing was begun: ${proof.seen}`,
        };
    }
  }
  return undefined;
}

function noteOf(before: RemoteStatus): string {
  if (before.kind === 'exited') return `it had ended with exit status ${before.code}`;
  if (before.kind === 'running') return 'its processes were ended';
  return 'it never started, and cannot any more';
}

/** `untold`: why its output cannot be shown, if it cannot. The command may be running, so that nothing is refused for it. */
async function remoteTaskOf(
  context: ActionContext,
  command: RemoteCommand,
): Promise<{ readonly task: RemoteTask; readonly untold: string | undefined }> {
  const env: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(command.env ?? {})) {
    const resolved = typeof value === 'string' ? value : await context.ports.secrets.resolve(value);
    if (typeof value !== 'string') secrets.push(resolved);
    env[name] = resolved;
  }
  let untold: string | undefined;
  for (const ref of command.mask ?? []) {
    const value = await context.ports.secrets.resolve(ref).catch(notKnown);
    if (value !== undefined) secrets.push(value);
    else
      untold = `[Edge does not show this output: it may hold the secret ${ref.source} ${ref.name}, which this worker cannot look up]\n`;
  }
  const task = {
    id: remoteIdOf(context.task, command.ordinal),
    argv: command.argv,
    env,
    ...(command.cwd !== undefined && { cwd: fromHome(command.cwd) }),
    ...(command.sudoUser !== undefined && { sudoUser: command.sudoUser }),
    secrets,
    ...(command.script && { script: command.script }),
    outputLimitBytes: command.outputLimitBytes ?? OUTPUT_LIMIT_BYTES,
  };
  return { task, untold };
}

function notKnown(thrown: unknown): undefined {
  if (asEdgeError(thrown).code !== 'secret_unavailable') throw thrown;
}

/** Hosts begin in the home folder of the user who runs the command, and know no `~`. */
const fromHome = (folder: string): string => folder.replace(/^~\//, './');
