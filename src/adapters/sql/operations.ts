import { acquire, release } from './acquire.ts';
import { claim } from './claim.ts';
import { commit } from './commit.ts';
import { create } from './create.ts';
import { keepOut } from './keep-out.ts';
import { load, read } from './load.ts';
import type { Operation } from './operation.ts';
import { appendOutput } from './output.ts';
import { applyRecords, getRecord, listRecords } from './records.ts';
import { renew } from './renew.ts';
import { report } from './report.ts';
import { viewSteps } from './steps.ts';
import { submit } from './submit.ts';
import { viewDeployments, viewEvents, viewFleet, viewOutput, viewPlan, viewTasks } from './views.ts';

/** Every operation of the store by name, so that a call is data and can be sent to where the database is open. */
export const OPERATIONS = {
  create,
  submit,
  acquire,
  load,
  read,
  commit,
  release,
  claim,
  renew,
  report,
  appendOutput,
  keepOut,
  getRecord,
  listRecords,
  applyRecords,
  viewDeployments,
  viewPlan,
  viewEvents,
  viewTasks,
  viewOutput,
  viewFleet,
  viewSteps,
} as const;

export type OperationName = keyof typeof OPERATIONS;

const READS: ReadonlySet<OperationName> = new Set<OperationName>([
  'load',
  'read',
  'getRecord',
  'listRecords',
  'viewDeployments',
  'viewPlan',
  'viewEvents',
  'viewTasks',
  'viewOutput',
  'viewFleet',
  'viewSteps',
]);

/** Whether it needs no write transaction. */
export const isRead = (name: OperationName): boolean => READS.has(name);

/** A call as data: the name of an operation and its arguments after the scope. */
export type Call = {
  readonly name: OperationName;
  readonly args: readonly unknown[];
  /** The store's time, where the caller moves it (tests); else the connection reads its clock. */
  readonly now?: number;
  /** Topics that it will ring, known before. A store that runs its calls in the order in which they are made rings them at once. */
  readonly wakes?: readonly string[];
};

/** The arguments come from `storePorts`, which is typed by the ports: here they are only passed on. */
export type AnyOperation = (...args: readonly unknown[]) => Operation<unknown>;
