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
  /** While it is drained, clients that the balancer remembers may still come: only `offline` keeps everybody off. */
  readonly persistent?: boolean;
  /** Gets no traffic while enough others are available (a lower priority group): no capacity, unless those fail. */
  readonly reserve?: boolean;
  /** What a person should know of it; one sentence without a full stop. */
  readonly note?: string;
  /** Host name or IP address that it sends the member's traffic to; left out where it does not tell, or tells of none. */
  readonly address?: string;
  readonly port?: number;
  /** Restored by `enable`, byte for byte; only the adapter that wrote it reads it. */
  readonly asFound: AsFound;
};

/** A member's settings as found before Edge touched it: vendor fields such as session, state, weight, priority group. */
export type AsFound = { readonly [field: string]: string | number | boolean };

/** In service: enabled, and not known to be down. A member without a monitor counts as in service, one in reserve too. */
export function isInService(state: Pick<MemberState, 'admin' | 'health'>): boolean {
  return state.admin === 'enabled' && (state.health === 'up' || state.health === 'unknown');
}

/** From what decides most to what decides least, where several instances see one member. */
const HEALTH_ORDER = ['down', 'checking', 'unknown', 'up'] as const;

/**
 * A member as several instances of one balancer see it together (`states`: one of each, at least one). It is out only where
 * all have it out; where they disagree it is enabled, so that a drain is asserted again, and not counted on: `checking`.
 */
export function seenTogether(
  states: readonly [Omit<MemberState, 'asFound'>, ...Omit<MemberState, 'asFound'>[]],
): Omit<MemberState, 'asFound'> {
  const [{ member, admin }] = states;
  const agree = states.every((state) => state.admin === admin);
  const healths = states.map((state) => state.health);
  const [{ address, port }] = states;
  const isOnePlace = states.every((state) => state.address === address && state.port === port);
  const health = HEALTH_ORDER.find((each) => healths.includes(each)) ?? 'unknown';
  return {
    member,
    admin: agree ? admin : states.some((state) => state.admin === 'enabled') ? 'enabled' : 'drained',
    health: agree || health === 'down' ? health : 'checking',
    connections: states.reduce<number | undefined>(
      (sum, { connections }) =>
        sum === undefined || connections === undefined ? undefined : sum + connections,
      0,
    ),
    ...(isOnePlace && placeOf(address, port)),
  };
}

/** The place of a member as fields of its state: none where the address is unknown. */
export function placeOf(
  address: string | undefined,
  port: number | undefined,
): Pick<MemberState, 'address' | 'port'> {
  if (address === undefined) return {};
  return { address, ...(port !== undefined && { port }) };
}

/**
 * A pool as it was seen at one moment, small enough for a task's outputs: `out` lists the members that were not in
 * service. The names of those in service are not needed, since holds name their members (see `capacity.ts`).
 */
export type PoolObservation = {
  readonly balancer: string;
  readonly pool: string;
  /** Without those in reserve. */
  readonly configured: number;
  readonly out: readonly string[];
  /** Those in reserve, if there are any. */
  readonly reserve?: readonly string[];
};

/** The members that a pool's traffic is shared among; those in reserve are neither capacity nor missing. */
export function withoutReserve<State extends { readonly reserve?: boolean }>(
  members: readonly State[],
): readonly State[] {
  return members.filter(({ reserve }) => reserve !== true);
}
/** A host on which nginx runs, and the pinned fingerprint of its host key, if known_hosts is not to be asked. */
export type NginxHost = { readonly address: string; readonly hostKey?: string };

/**
 * How to reach a balancer; from the environment's configuration. `socket` of HAProxy: a path, or `host:port`; `sockets`
 * instead, where several instances are one balancer.
 * `tls` of F5: a CA file, a pinned SHA-256 fingerprint of the certificate, the system's CAs, or none for plain http.
 * `peer` of F5: the other unit of the pair, checked as `peerTls` says, or as `tls` does. `sync` left out is `auto`, `save` left out is `off`.
 * `file` of nginx: where its upstreams are, the same path on each of its hosts.
 */
export type BalancerConfig =
  | { readonly kind: 'haproxy'; readonly socket?: string; readonly sockets?: readonly string[] }
  | {
      readonly kind: 'nginx';
      readonly hosts: readonly NginxHost[];
      readonly ssh: {
        readonly user: string;
        readonly port: number;
        readonly identityFile: string;
        readonly knownHosts?: string;
      };
      readonly file: string;
      readonly pidFile: string;
      readonly test: readonly string[];
      readonly reload: readonly string[];
      readonly runAs?: string;
    }
  | {
      readonly kind: 'f5';
      readonly url: string;
      readonly peer?: string;
      readonly sync?: 'auto' | 'off';
      readonly save?: 'after-changes' | 'off';
      readonly username: string;
      readonly password: SecretRef;
      readonly partition: string;
      readonly loginProvider: string;
      readonly tls: Tls;
      readonly peerTls?: Tls;
    };

type Tls = { readonly ca: string } | { readonly fingerprint: string } | 'system' | 'none';
/** The runtime sockets of an HAProxy, one for each of its instances. */
export function socketsOf({
  socket,
  sockets,
}: Extract<BalancerConfig, { kind: 'haproxy' }>): readonly string[] {
  return sockets ?? (socket === undefined ? [] : [socket]);
}
