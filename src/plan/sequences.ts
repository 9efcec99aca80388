import type { Commanded } from '../domain/command-policy.ts';
import type { Hook } from '../domain/hook.ts';
import type { Step } from '../domain/plan.ts';
import type { TargetConfig } from '../domain/project-environment.ts';
import type { CheckSteps } from '../domain/strategy.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Settings } from './settings.ts';

/**
 * The ways in which a target is worked on; a batch does one of them.
 * `rolling`: in service behind a balancer, in a full cycle. `plain`: no balancer. `cold`: nothing serves yet, so no floor
 * is in the way. `others`: was out of service and its service ran. `others-stopped`: was out of service and nothing ran.
 * `hard`: neither balancer nor check. The `restart` ones leave out install. `reload`, and `reload-plain` without a balancer: the
 * service goes on, and reads its property files again.
 */
export const SEQUENCES = [
  'rolling',
  'plain',
  'cold',
  'others',
  'others-stopped',
  'hard',
  'restart',
  'restart-plain',
  'restart-cold',
  'restart-hard',
  'reload',
  'reload-plain',
] as const;
export type SequenceName = (typeof SEQUENCES)[number];

/**
 * How a target is returned to what it had before, by the sequence that it went through; see `planRollback`. After a reload it is
 * started anew: what a service makes of files that are taken back under it nobody has tried.
 */
const BACK: Readonly<Record<SequenceName, SequenceName>> = {
  rolling: 'rolling',
  plain: 'plain',
  cold: 'cold',
  others: 'others',
  'others-stopped': 'others-stopped',
  hard: 'hard',
  restart: 'rolling',
  'restart-plain': 'plain',
  'restart-cold': 'cold',
  'restart-hard': 'hard',
  reload: 'rolling',
  'reload-plain': 'plain',
};

export function rollbackSequence(name: string): SequenceName {
  return BACK[SEQUENCES.find((known) => known === name) ?? 'rolling'];
}

/** The sequences that a plan must carry: those that it uses, and those that a rollback of it would use. */
export function withRollbacks(used: readonly SequenceName[]): readonly SequenceName[] {
  const all = new Set([...used, ...used.map((name) => BACK[name])]);
  return SEQUENCES.filter((name) => all.has(name));
}

/** A command of a person for targets. Without `cwd` it runs in the home folder, without `sudoUser` as the user of the log-in. */
export type ExecOrder = {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly sudoUser?: string;
  /** From its grant on, with the connection. */
  readonly timeoutMs: number;
};

/** What a platform gives the planner: the steps of a sequence, and the facts of a target that its steps refer to. */
export type Platform = {
  readonly steps: (name: SequenceName, settings: Settings) => readonly Step[];
  readonly facts: (target: TargetConfig, settings: Settings) => JsonObject;
  /** The steps of a command on a target. */
  readonly exec: (order: ExecOrder) => readonly Step[];
  /** How what a deployment has put on a target is looked at. */
  readonly look: {
    readonly steps: readonly Step[];
    /** Of the steps that have put it there: what the look must know; `null` where it cannot be looked at. */
    readonly facts: (steps: readonly Step[]) => JsonObject | null;
  };
  /** The facts of a target that nothing but its host is reached by: of a project's own steps, checks and variables they have none. */
  readonly hostFacts: (target: TargetConfig, settings: Settings) => JsonObject;
  /** The step of a hook, which is the same wherever it runs, and the facts of a target on whose host it does. */
  readonly hook: (hook: Hook, settings: Settings) => PlatformHook;
  /** What is wrong with the steps that a strategy lists, and with its hooks. */
  readonly checkSteps: CheckSteps;
  /** The actions, as `name@major`, that plug-ins have added. */
  readonly ofPlugins: ReadonlySet<string>;
  /** What a step runs on its target that somebody has configured. */
  readonly commands: (step: Step) => readonly Commanded[];
};

export type PlatformHook = {
  readonly step: Step;
  readonly facts: (target: TargetConfig) => JsonObject;
};
