declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

/** Sortable by creation time; made by the `Ids` port, but for that of a look which a schedule begins: it is made of the one before it. */
export type DeploymentId = Id<'DeploymentId'>;
export type CommandId = Id<'CommandId'>;
/** `<deployment>/<target index>/<step index>/<attempt group>`: one step on one target, durable over attempts. */
export type TaskId = Id<'TaskId'>;
/** `<version>-<first 8 hex digits of the hash>`, unique within a project. */
export type ReleaseId = Id<'ReleaseId'>;
/** SHA-256 of a plan's canonical intent, 64 hex digits. */
export type PlanHash = Id<'PlanHash'>;
/** host + name + incarnation of a worker process (contract C9). */
export type WorkerId = Id<'WorkerId'>;
/** Names a detached task on a host: the first 32 hex digits of hash(task, ordinal) (contract C17). */
export type RemoteTaskId = Id<'RemoteTaskId'>;

export const deploymentId = (text: string): DeploymentId => text as DeploymentId;
export const commandId = (text: string): CommandId => text as CommandId;
export const releaseId = (text: string): ReleaseId => text as ReleaseId;
export const planHash = (text: string): PlanHash => text as PlanHash;
export const workerId = (text: string): WorkerId => text as WorkerId;
export const remoteTaskId = (text: string): RemoteTaskId => text as RemoteTaskId;
export const taskIdFrom = (text: string): TaskId => text as TaskId;

/** Where a task belongs; all numbers are indexes into the deployment's plan. */
export type TaskKey = {
  readonly deployment: DeploymentId;
  readonly target: number;
  readonly step: number;
  /** Counts the operator's and the engine's retries of this target, from 0. */
  readonly group: number;
};

export function taskId(key: TaskKey): TaskId {
  return `${key.deployment}/${key.target}/${key.step}/${key.group}` as TaskId;
}

/** The inverse of `taskId`. Throws on a text that is no task id: ids come from our own tables only. */
export function parseTaskId(id: TaskId): TaskKey {
  const first = id.indexOf('/');
  const second = id.indexOf('/', first + 1);
  const third = id.indexOf('/', second + 1);
  if (first < 1 || second < 0 || third < 0 || id.includes('/', third + 1)) {
    throw new Error(`not a task id: ${id}`);
  }
  return {
    deployment: deploymentId(id.slice(0, first)),
    target: Number(id.slice(first + 1, second)),
    step: Number(id.slice(second + 1, third)),
    group: Number(id.slice(third + 1)),
  };
}
