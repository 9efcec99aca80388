import { asEdgeError } from '../domain/errors.ts';
import { type DeploymentId, deploymentId } from '../domain/ids.ts';
import type { ProjectEnvironment } from '../domain/project-environment.ts';
import { hashOf } from '../lib/hash.ts';
import { beginLook, driftPlan } from './drift.ts';
import type { OperationPorts } from './ports.ts';

/** Who asks for the looks that are due by themselves. */
export const SCHEDULE = 'schedule';
export const SIDE_BY_SIDE = 50;

const PASS_MS = 10_000;
/** A place at which no look can be planned, such as one whose inventory gives no answer, is left alone so long. */
const PAUSE_MS = 300_000;
const ID_DIGITS = 20;

export type ScheduleOptions = {
  readonly ports: OperationPorts;
  /** Why no look could be begun at a place; `null`: at none. */
  readonly onFault: (place: string | null, fault: unknown) => void;
};

/**
 * Begins the looks that configurations ask for (`drift.everyMs`), an interval after the one before, and never while that one runs. Several
 * servers may do so at once: the id of a look is made of the one before it, so that there is one after each. What is more than an interval
 * ahead was begun by a clock that was wrong, and is left alone: nothing waits until that time comes.
 */
export class DriftSchedule {
  readonly #ports: OperationPorts;
  readonly #onFault: ScheduleOptions['onFault'];
  readonly #notBefore = new Map<string, number>();

  constructor({ ports, onFault }: ScheduleOptions) {
    this.#ports = ports;
    this.#onFault = onFault;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.pass().catch((fault: unknown) => this.#onFault(null, fault));
      await this.#ports.clock.sleep(PASS_MS, signal).catch(() => undefined);
    }
  }

  /** Begins what is due now. */
  async pass(): Promise<void> {
    for (const { key, value } of await this.#ports.records.list('project-environment')) {
      if (!value.drift || (this.#notBefore.get(key) ?? 0) > this.#ports.clock.now()) continue;
      try {
        await this.#beginIfDue(value, value.drift.everyMs);
      } catch (fault) {
        this.#notBefore.set(key, this.#ports.clock.now() + PAUSE_MS);
        // Nothing is there yet: no fault of anybody.
        if (asEdgeError(fault).code !== 'plan_empty') this.#onFault(key, fault);
      }
    }
  }

  async #beginIfDue({ project, environment }: ProjectEnvironment, everyMs: number): Promise<void> {
    const place = { project, environment };
    const { views, clock } = this.#ports;
    const until = clock.now() + everyMs;
    const ofPlace = { ...place, verb: 'drift', by: SCHEDULE, until } as const;
    const [last] = await views.deployments({ ...ofPlace, limit: 1 });
    if (last && (!last.ended || clock.now() - last.createdAt < everyMs)) return;
    const id = await this.#idAfter([project, environment, 'drift', last?.id ?? null], until);
    if (id === null) return;
    const { plan, recordAt } = await driftPlan(this.#ports, { ...place, parallel: SIDE_BY_SIDE });
    await beginLook(this.#ports, { id, plan, recordAt, by: SCHEDULE, reason: `every ${everyMs / 1_000} s` });
  }

  /** The first that no clock that was ahead has used up; `null`: another server has just begun it. */
  async #idAfter(seed: readonly (string | null)[], until: number): Promise<DeploymentId | null> {
    for (let ahead = 0; ; ahead += 1) {
      const seeds = ahead === 0 ? seed : [...seed, ahead];
      const id = deploymentId(hashOf(seeds).slice(0, ID_DIGITS));
      const [there] = await this.#ports.views.deployments({ id, limit: 1 });
      if (!there) return id;
      if (there.createdAt <= until) return null;
    }
  }
}
