import { type HeldMember, type Hold, poolKey } from '../domain/capacity.ts';
import type { DeploymentId } from '../domain/ids.ts';

/** Who holds what, of all deployments, as `decide` may read it (contract C8). */
export type Holds = {
  of(member: { balancer: string; pool: string; member: string }): Hold | undefined;
  in(pool: { balancer: string; pool: string }): Iterable<Hold>;
};

/** The holds of one turn: as the journal gave them, and as the turn's own events change them, so that grants see each other. */
export class Ledger implements Holds {
  readonly #pools = new Map<string, Map<string, Hold>>();

  constructor(holds: readonly Hold[]) {
    for (const hold of holds) this.#put(hold);
  }

  of(member: { balancer: string; pool: string; member: string }): Hold | undefined {
    return this.#pools.get(poolKey(member))?.get(member.member);
  }

  in(pool: { balancer: string; pool: string }): Iterable<Hold> {
    return this.#pools.get(poolKey(pool))?.values() ?? [];
  }

  take(holds: readonly Hold[]): void {
    for (const hold of holds) this.#put(hold);
  }

  park(members: readonly { balancer: string; pool: string; member: string }[]): void {
    const holds = members.flatMap((member) => this.of(member) ?? []);
    for (const hold of holds) this.#put({ ...hold, phase: 'parked' });
  }

  give(members: readonly { balancer: string; pool: string; member: string }[]): void {
    for (const member of members) this.#pools.get(poolKey(member))?.delete(member.member);
  }

  #put(hold: Hold): void {
    const key = poolKey(hold);
    const pool = this.#pools.get(key) ?? new Map<string, Hold>();
    this.#pools.set(key, pool.set(hold.member, hold));
  }
}

/** The hold that a grant makes of a member. */
export function taking(deployment: DeploymentId, target: string, member: HeldMember): Hold {
  return { ...member, deployment, target, phase: 'taken', reason: 'being deployed to' };
}
