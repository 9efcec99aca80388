import type { SecretRef } from './secret.ts';

/** A member of a pool of a balancer: what a target is behind it. `name` is the vendor's own (`web-1:8080`). */
export type MemberRef = { readonly balancer: string; readonly pool: string; readonly member: string };

/**
 * What a balancer says of a member. `admin` is what people asked for, `health` what the monitor sees.
 * `connections` is `undefined` where the balancer does not count them: unknown, never zero.
 */
export type MemberState = {
  readonly member: string;
  readonly admin: 'enabled' | 'drained' | 'offline';
  readonly health: 'up' | 'down' | 'checking' | 'unknown';
  readonly connections: number | undefined;
  /** Restored by `enable`, byte for byte; only the adapter that wrote it reads it. */
  readonly asFound: AsFound;
};

/** A member's settings as found before Edge touched it: vendor fields such as session, state, weight, priority group. */
export type AsFound = { readonly [field: string]: string | number | boolean };

/** In service: enabled, and not known to be down. A member without a monitor counts as in service. */
export function isInService(state: Pick<MemberState, 'admin' | 'health'>): boolean {
  return state.admin === 'enabled' && (state.health === 'up' || state.health === 'unknown');
}

/**
 * A pool as it was seen at one moment, small enough for a task's outputs: `out` lists the members that were not in
 * service. The names of those in service are not needed, since holds name their members (see `capacity.ts`).
 */
export type PoolObservation = {
  readonly balancer: string;
  readonly pool: string;
  readonly configured: number;
  readonly out: readonly string[];
};

/**
 * How to reach a balancer; from the environment's configuration. `socket` of HAProxy: a path, or `host:port`.
 * `tls` of F5: a CA file, a pinned SHA-256 fingerprint of the certificate, the system's CAs, or none for plain http.
 */
export type BalancerConfig =
  | { readonly kind: 'haproxy'; readonly socket: string }
  | {
      readonly kind: 'f5';
      readonly url: string;
      readonly username: string;
      readonly password: SecretRef;
      readonly partition: string;
      readonly loginProvider: string;
      readonly tls: { readonly ca: string } | { readonly fingerprint: string } | 'system' | 'none';
    };
