import type { DeploymentId } from './ids.ts';

/** How often each failure was met, by its code. */
export type FailureCounts = Readonly<Record<string, number>>;

/** How one step of a sequence went in one deployment, over its targets: what forecasts and failure rates are learnt from. */
export type StepRecord = {
  readonly deployment: DeploymentId;
  readonly project: string;
  readonly environment: string;
  readonly sequence: string;
  readonly step: string;
  /** From grant to success, in ms, for each target; without those that had to wait for capacity. */
  readonly doneMs: readonly number[];
  /** Failures that ended a target, and those after which the engine tried again. */
  readonly failed: FailureCounts;
  readonly retried: FailureCounts;
  /** How often nobody could say how it ended. */
  readonly unknown: number;
  /** Of drains: how often connections were cut at the deadline. */
  readonly forced: number;
};
