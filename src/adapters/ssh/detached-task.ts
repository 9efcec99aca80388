import { EdgeError } from '../../domain/errors.ts';
import { cutBy } from '../../lib/cut.ts';
import { KeptOutput, keptParts } from '../../lib/kept-output.ts';
import { createMask } from '../../lib/mask.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostAddress, HostIdentity, RemoteStatus, RemoteTask, RunOptions } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';
import type { ConnectionPool } from './pool.ts';
import { type HostSeen, openScript, readHost, type Said, type ScriptChannel } from './script-channel.ts';
import { supervisorScript } from './supervisor-script.ts';
import { differs, mayStillStart, statusOf } from './task-status.ts';
import { ConnectionLost } from './transport.ts';

export type TaskDeps = {
  readonly pool: ConnectionPool;
  readonly clock: Clock;
  /** How long a task that was reached once is sought again before `run` rejects. */
  readonly reconnectForMs: number;
};

/** Output that is not there this long after the end of the task is asked for again instead of waited for. */
const STALL_MS = 50;
/** Between two connections that were lost: 50 ms, doubled each time, at most 2 s; contact starts it again. */
const PAUSE = { firstMs: 50, factor: 2, maxMs: 2_000 } as const;

type Run = RunRequest & {
  readonly deps: TaskDeps;
  readonly output: KeptOutput;
  identity: HostIdentity | undefined;
  dispatched: boolean;
  /** How often the task was sent. */
  sent: number;
  /** When the host last said who it is, or first broke a connection that it had taken. */
  contactMs: number | undefined;
  pauseMs: number;
};

/** How a task ended, and how many bytes of output it has written by then. */
type Final = { readonly status: RemoteStatus; readonly size: number };

export type RunRequest = {
  readonly host: HostAddress;
  readonly task: RemoteTask;
  readonly options: RunOptions;
};

/**
 * Starts the task or attaches to it, and stays until it has ended. Each round is one channel to the host: the host decides
 * whether this is a start (its claim file does), the offset in `output` where reading goes on.
 */
export async function runTask(deps: TaskDeps, { host, task, options }: RunRequest): Promise<RemoteStatus> {
  const output = new KeptOutput({
    limitBytes: task.outputLimitBytes,
    secrets: task.secrets,
    fromOffset: options.fromOffset,
    onOutput: options.onOutput,
  });
  const { expect: identity } = options;
  const run: Run = {
    deps,
    host,
    task,
    options,
    output,
    identity,
    dispatched: false,
    sent: 0,
    contactMs: undefined,
    pauseMs: PAUSE.firstMs,
  };
  for (;;) {
    try {
      const final = await attend(run);
      if (final) {
        await readRest(run, final);
        await output.end();
        return await withOutputs(run, final.status);
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (!mayReconnect(run, error)) throw error;
    }
    await deps.clock.sleep(run.pauseMs, options.signal);
    run.pauseMs = Math.min(run.pauseMs * PAUSE.factor, PAUSE.maxMs);
  }
}

function mayReconnect(run: Run, error: unknown): boolean {
  if (!(error instanceof EdgeError) || error.code !== 'host_unreachable') return false;
  run.contactMs ??= error instanceof ConnectionLost ? run.deps.clock.monotonicMs() : undefined;
  return (
    run.contactMs !== undefined && run.deps.clock.monotonicMs() - run.contactMs < run.deps.reconnectForMs
  );
}

/** One channel, from "who are you" to the task's end; `undefined` if it was lost on the way, or is to be opened anew. */
async function attend(run: Run): Promise<Final | undefined> {
  const { deps, host, task, options, output } = run;
  const from = output.headIsFull ? '-' : output.next;
  const args = [from, ...(task.script ? ['sha256sum'] : [])];
  const request = { host, verb: 'open', id: task.id, args, sudoUser: task.sudoUser } as const;
  const script = await openScript(deps.pool, request, options.signal);
  const stop = cutBy(options.signal);
  const reading = readHead(script, output, stop.signal);
  // A failure of the caller's `onOutput` is met below; it may come while nobody waits for it.
  reading.catch(() => undefined);
  try {
    return await converse(run, script, reading);
  } finally {
    stop.cut();
    script.close();
    // Two readers at once would push bytes twice: this one is over before another round begins.
    await reading;
  }
}

/** Listens to the host until the task has ended, and sends it the task if it asks for it. */
async function converse(run: Run, script: ScriptChannel, reading: Reading): Promise<Final | undefined> {
  const { deps, options, output } = run;
  const host = await readHost(script, options.signal);
  run.contactMs = deps.clock.monotonicMs();
  for (;;) {
    const said = await Promise.race([script.next(options.signal), reading.then(whenFull)]);
    if (said === undefined || said === 'full') return undefined;
    const final = said.word === 'none' ? await start(run, script, host) : finalOf(said, run);
    if (said.word === 'claimed' || said.word === 'attached') run.pauseMs = PAUSE.firstMs;
    if (!final) continue;
    await catchUp(run, reading, output.headOf(final.size));
    return final;
  }
}

function finalOf(said: Said, run: Run): Final | undefined {
  const status = statusOf(said, run.task);
  switch (status?.kind) {
    case 'exited':
      return { status, size: status.outputBytes };
    case 'unknown':
      return { status, size: Number(said.values[1] ?? 0) };
    case 'cancelled':
      return { status, size: 0 };
    case 'changed':
    case 'refused':
      return { status: isOnlyStart(run) ? status : mayStillStart(said), size: 0 };
    default:
      return undefined;
  }
}

/** Then the start that was refused is the only one there was: another, still on its way, could find the host well again. */
const isOnlyStart = ({ options, sent }: Run): boolean => options.expect === undefined && sent === 1;

/** Sends the task to a host that has never started it, unless it is another host, or another boot, than was dispatched to. */
async function start(run: Run, script: ScriptChannel, seen: HostSeen): Promise<Final | undefined> {
  const { task, options } = run;
  const elsewhere = differs(run.identity, seen.identity);
  if (elsewhere) return { status: elsewhere, size: 0 };
  if (!run.dispatched) await options.onDispatch(seen.identity);
  run.identity = seen.identity;
  run.dispatched = true;
  options.signal.throwIfAborted();
  const supervisor = {
    id: task.id,
    stateFolder: seen.stateFolder,
    bootId: seen.identity.bootId,
    ...keptParts(task.outputLimitBytes),
  };
  run.sent += 1;
  await script.write(supervisorScript(supervisor, task));
  return undefined;
}

/** How the reading of the head ended: `full`, or at the end of the stream. */
type Reading = Promise<'full' | 'ended'>;

/** Passes on output as it comes. Ends at the head's end (`full`), at the end of the stream, or when it is stopped. */
async function readHead(
  script: ScriptChannel,
  output: KeptOutput,
  stop: AbortSignal,
): Promise<'full' | 'ended'> {
  for await (const bytes of script.output(stop)) {
    await output.pushHead(bytes);
    if (output.headIsFull) return 'full';
  }
  return 'ended';
}

/** Only a full head is news; the end of the stream shows in what the script says. */
function whenFull(end: 'full' | 'ended'): Promise<'full'> {
  return end === 'full' ? Promise.resolve('full') : new Promise(() => undefined);
}

/** The last bytes are mostly on their way when the end is reported; waits for them as long as they keep coming. */
async function catchUp(run: Run, reading: Reading, headBytes: number): Promise<void> {
  const { output, deps, options } = run;
  for (let before = -1; output.next < headBytes && output.next !== before; ) {
    before = output.next;
    await Promise.race([reading, output.reaches(headBytes), deps.clock.sleep(STALL_MS, options.signal)]);
  }
}

/** A connection that is lost in just that moment may bring the word of the end and none of the bytes before it. */
const VAIN_READS = 3;

/** Reads what the live view did not bring: the bytes up to the end, or past the gap those of the tail. */
async function readRest(run: Run, { status, size }: Final): Promise<void> {
  const { host, task, output } = run;
  for (let vain = 0; ; ) {
    const range = status.kind === 'exited' ? await output.remaining(size) : output.remainingOfHead(size);
    if (!range) return;
    if (vain === VAIN_READS) throw hostError('host_unfit', host, `: the output of task ${task.id} is gone`);
    const before = output.next;
    await readFile(run, [range.start, range.count], (bytes) => output.push(bytes));
    vain = output.next === before ? vain + 1 : 0;
  }
}

/** Of a script that has ended: what it wrote for later steps. */
async function withOutputs(run: Run, status: RemoteStatus): Promise<RemoteStatus> {
  const { script, secrets } = run.task;
  if (status.kind !== 'exited' || !script) return status;
  const mask = createMask(secrets);
  const parts: Uint8Array[] = [];
  await readFile(run, [0, script.outputsLimitBytes + 1, 'outputs'], async (bytes) => {
    parts.push(mask.write(bytes));
  });
  return { ...status, outputs: Buffer.concat([...parts, mask.end()]).toString() };
}

/** A part of one of the task's files: of its output, if no other is named. */
async function readFile(
  { deps, host, task, options }: Run,
  args: readonly (string | number)[],
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const request = { host, verb: 'read', id: task.id, args, sudoUser: task.sudoUser } as const;
  const script = await openScript(deps.pool, request, options.signal);
  try {
    for await (const bytes of script.output(options.signal)) await take(bytes);
    for (let said = await script.expect(options.signal); said.word !== 'done'; )
      said = await script.expect(options.signal);
  } finally {
    script.close();
  }
}
