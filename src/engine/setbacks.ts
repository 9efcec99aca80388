import { asEdgeError, CATALOGUE } from '../domain/errors.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Lease } from '../ports/journal.ts';

type Setback = { readonly lease: Lease; readonly times: number; sitOut: number };
/** A deployment that fails again and again is tried once in so many sweeps at the least. */
const MOST_SWEEPS = 256;

/**
 * The deployments whose last turn met a fault. While their lease lasts nobody is told of them again, so they are tried in
 * the next sweep. One that fails for its own sake sits out ever more sweeps, or it would be loaded anew at every ring of the bell; a store that does not answer
 * is nobody's fault.
 */
export class Setbacks {
  readonly #of = new Map<DeploymentId, Setback>();

  met(lease: Lease, fault: unknown): void {
    const isOwn = !CATALOGUE[asEdgeError(fault).code].retryable;
    const times = isOwn ? (this.#of.get(lease.deployment)?.times ?? 0) + 1 : 0;
    const sitOut = times === 0 ? 0 : Math.min(2 ** (times - 1), MOST_SWEEPS) - 1;
    this.#of.set(lease.deployment, { lease, times, sitOut });
  }

  overcome(deployment: DeploymentId): void {
    this.#of.delete(deployment);
  }

  /** The leases to drive in this sweep: those just acquired and those left from the last, without those that sit out. */
  due(acquired: readonly Lease[]): readonly Lease[] {
    const leases = new Map(acquired.map((lease) => [lease.deployment, lease]));
    for (const [deployment, setback] of this.#of) {
      if (setback.sitOut > 0) leases.delete(deployment);
      else if (!leases.has(deployment)) leases.set(deployment, setback.lease);
      setback.sitOut -= 1;
    }
    return [...leases.values()];
  }
}
