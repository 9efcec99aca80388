import { EdgeError, together } from '../domain/errors.ts';
import type { WorkerId } from '../domain/ids.ts';
import type { HeldFile } from '../ports/artifacts.ts';
import type {
  Claim,
  ClaimedTask,
  Held,
  Keeping,
  Kept,
  Renewed,
  Report,
  TaskOutput,
} from '../ports/task-board.ts';
import { authorize, type Caller } from './caller.ts';
import type { OperationPorts } from './ports.ts';
import type { Watched } from './watch.ts';

/** The task board for workers of other processes (contract C1). A worker's token is good for one pool. */

const NOTHING = {};
type Nothing = Readonly<Record<string, never>>;

export async function claimTasks(
  { board }: OperationPorts,
  caller: Caller,
  input: Claim,
): Promise<{ readonly tasks: readonly ClaimedTask[] }> {
  authorizePool(caller, input.pool);
  return { tasks: await board.claim(input) };
}

type Worker = { readonly worker: WorkerId };

export async function renewTasks(
  { board }: OperationPorts,
  caller: Caller,
  input: Worker & { readonly tasks: readonly Held[] },
): Promise<Renewed> {
  authorize(caller, 'worker.serve');
  return board.renew(input.worker, input.tasks);
}

export async function reportTasks(
  { board }: OperationPorts,
  caller: Caller,
  input: Worker & { readonly reports: readonly Report[] },
): Promise<Nothing> {
  authorize(caller, 'worker.serve');
  await board.report(input.worker, input.reports);
  return NOTHING;
}

export async function appendOutput(
  { board }: OperationPorts,
  caller: Caller,
  input: Worker & { readonly chunks: readonly TaskOutput[] },
): Promise<Nothing> {
  authorize(caller, 'worker.serve');
  await board.appendOutput(input.worker, input.chunks);
  return NOTHING;
}

export async function keepOut({ board }: OperationPorts, caller: Caller, input: Keeping): Promise<Kept> {
  authorizePool(caller, input.pool);
  return board.keepOut(input);
}

export type WaitInput = { readonly pool: string; readonly timeoutMs: number };

export async function waitForWork(
  { board }: OperationPorts,
  caller: Caller,
  { input, signal }: Watched<WaitInput>,
): Promise<Nothing> {
  authorizePool(caller, input.pool);
  await board.waitForWork(input.pool, input.timeoutMs, signal);
  return NOTHING;
}

/** An artifact, for as long as it is given; the API, which knows no ports, has it by this name. */
export type GivenFile = HeldFile;
type Wanted = { readonly sha256: string; readonly give: (file: GivenFile) => Promise<void> };

/** Gives a file that some release has as its artifact, and no other. Throws `artifact_unreadable` and what `Artifacts` does. */
export async function workerArtifact(
  { artifacts, records }: OperationPorts,
  caller: Caller,
  { input: { sha256, give }, signal }: Watched<Wanted>,
): Promise<void> {
  authorize(caller, 'worker.serve');
  const found = (await records.list('release'))
    .flatMap(({ value }) => value.artifacts)
    .filter((artifact) => artifact.sha256 === sha256);
  if (found.length === 0)
    throw new EdgeError('artifact_unreadable', `No release has an artifact with the digest ${sha256}`);
  const faults: EdgeError[] = [];
  for (const artifact of found) {
    let isGiven = false;
    try {
      return await artifacts.hold(artifact, { as: 'kept', signal }, (file) => {
        isGiven = true;
        return give(file);
      });
    } catch (thrown) {
      if (isGiven || !(thrown instanceof EdgeError)) throw thrown;
      faults.push(thrown);
    }
  }
  throw together(faults) ?? new Error('no artifact was tried');
}

function authorizePool(caller: Caller, pool: string): void {
  authorize(caller, 'worker.serve');
  if (caller.pool === pool) return;
  throw new EdgeError('permission_denied', `The token "${caller.name}" is not for the pool "${pool}"`);
}
