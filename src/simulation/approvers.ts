import { asEdgeError } from '../domain/errors.ts';
import type { DeploymentId, PlanHash } from '../domain/ids.ts';
import { approve, promote } from '../operations/approve.ts';
import type { Caller } from '../operations/caller.ts';
import type { OperationPorts } from '../operations/ports.ts';
import { abort, submit } from '../operations/steer.ts';
import type { Draw } from './draw.ts';
import type { SimStore } from './store.ts';

/** A deployment that people have to approve. */
export type Waiting = {
  readonly id: DeploymentId;
  readonly project: string;
  readonly by: string;
  readonly planHash: PlanHash;
};

const WAITING = `SELECT d.id, d.project, d.created_by AS "by", d.plan_hash AS planHash
  FROM deployments d JOIN plans p ON p.hash = d.plan_hash
  WHERE d.status = 'pending' AND d.ended_at IS NULL AND json_extract(p.body, '$.approvals.count') > 0 ORDER BY d.id`;

export const waiting = ({ truth }: SimStore): readonly Waiting[] => truth.look<Waiting>(WAITING);

const APPROVERS = `SELECT json_extract(body, '$.by') AS "by" FROM events
  WHERE deployment = ? AND json_extract(body, '$.kind') = 'deployment.approved'`;

export type ApproverParts = {
  readonly store: SimStore;
  readonly draw: Draw;
  /** Somebody who has not acted yet. */
  readonly person: () => Caller;
  readonly edit: (ports: OperationPorts, project: string) => Promise<unknown>;
};

type Says = (ports: OperationPorts, one: Waiting) => Promise<unknown>;

/** Those who approve what others ask for: rightly most of the time, and in every way in which it must not count. */
export class Approvers {
  readonly #parts: ApproverParts;

  constructor(parts: ApproverParts) {
    this.#parts = parts;
  }

  /** Through the door, as it is meant. */
  readonly #well: Says = (ports, { id: deployment, planHash }) =>
    approve(ports, this.#parts.person(), { deployment, planHash, reason: 'read it' });

  /** Past the door, where nobody has looked whether it counts. */
  #says({ id: deployment, planHash }: Waiting, caller: Caller, hash = planHash): Says {
    const body = { kind: 'approve', planHash: hash, reason: 'says so' } as const;
    return (ports) => submit(ports, caller, { deployment, body });
  }

  #as(name: string): Caller {
    return { ...this.#parts.person(), name };
  }

  readonly #own: Says = (ports, one) => this.#says(one, this.#as(one.by))(ports, one);

  readonly #twice: Says = async (ports, one) => {
    const { store, draw } = this.#parts;
    const before = store.truth.look<{ by: string }>(APPROVERS, one.id).map(({ by }) => by);
    if (before.length > 0) return this.#says(one, this.#as(draw.pick(before)))(ports, one);
    const somebody = this.#parts.person();
    await this.#says(one, somebody)(ports, one);
    return this.#says(one, somebody)(ports, one);
  };

  readonly #another: Says = (ports, one) =>
    this.#says(one, this.#parts.person(), 'f'.repeat(64) as PlanHash)(ports, one);

  readonly #promoted: Says = (ports, { id: deployment }) =>
    promote(ports, this.#parts.person(), { deployment, reason: 'it is urgent' });

  /** While the word is on its way, somebody changes what the plan was made from. */
  readonly #edited: Says = async (ports, one) => {
    const { draw, person, edit } = this.#parts;
    const promoted = { kind: 'promote', reason: 'it is urgent' } as const;
    const says = draw.chance(0.3)
      ? () => submit(ports, person(), { deployment: one.id, body: promoted })
      : () => this.#says(one, person())(ports, one);
    // A server has looked, and is slow to hand it on.
    if (draw.chance(0.6)) await edit(ports, one.project);
    await says();
    return edit(ports, one.project);
  };

  /** Somebody says something of a deployment that waits. */
  readonly anyhow: Says = (ports, one) => {
    const ways = [this.#own, this.#twice, this.#another, this.#promoted, this.#edited];
    const says = this.#parts.draw.chance(0.5) ? this.#well : this.#parts.draw.pick(ways);
    return says(ports, one);
  };

  /** The same past the door, of one that may have begun or ended long ago. */
  readonly late: Says = (ports, one) => {
    const { draw, person } = this.#parts;
    if (draw.chance(0.7)) return this.#says(one, person())(ports, one);
    return submit(ports, person(), { deployment: one.id, body: { kind: 'promote', reason: 'late' } });
  };

  /** It is brought to its start, or to its end where its plan does not hold any more. */
  readonly decided: Says = async (ports, one) => {
    try {
      return await this.#well(ports, one);
    } catch (thrown) {
      if (asEdgeError(thrown).code !== 'plan_changed') throw thrown;
      return abort(ports, this.#parts.person(), { deployment: one.id, reason: 'its plan is outdated' });
    }
  };
}
