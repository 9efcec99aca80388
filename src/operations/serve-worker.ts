import { EdgeError } from '../domain/errors.ts';
import type { WorkerId } from '../domain/ids.ts';
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

function authorizePool(caller: Caller, pool: string): void {
  authorize(caller, 'worker.serve');
  if (caller.pool === pool) return;
  throw new EdgeError('permission_denied', `The token "${caller.name}" is not for the pool "${pool}"`);
}
