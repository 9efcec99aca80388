/** A member of a pool as it is configured. `name` is the device's own, `connect` is where its traffic really goes. */
export type MemberSettings = {
  /** Without a partition it belongs to that of its pool; `/Common/web-1:8080` names another. */
  readonly name: string;
  readonly connect: { readonly host: string; readonly port: number };
};

export type Session = 'user-enabled' | 'user-disabled' | 'monitor-enabled';
export type State = 'up' | 'down' | 'checking' | 'unchecked' | 'user-down';

/** The live state of one member: what people asked for, what the monitor sees, and the traffic it carries. */
export type Member = {
  readonly name: string;
  readonly partition: string;
  readonly connect: { readonly host: string; readonly port: number };
  readonly monitored: boolean;
  disabled: boolean;
  forcedDown: boolean;
  health: 'checking' | 'up' | 'down';
  /** Requests in flight, or client connections pinned to it (`perConnection`). */
  connections: number;
  /** Requests it was given since the start. */
  requests: number;
};

export function newMember(settings: MemberSettings, poolPartition: string, monitored: boolean): Member {
  const parts = /^\/([^/]+)\/(.+)$/.exec(settings.name);
  return {
    name: parts?.[2] ?? settings.name,
    partition: parts?.[1] ?? poolPartition,
    connect: settings.connect,
    monitored,
    disabled: false,
    forcedDown: false,
    health: 'checking',
    connections: 0,
    requests: 0,
  };
}

/** As a device shows it: `monitor-enabled` is readable only, and means enabled with a monitor. */
export function sessionOf(member: Member): Session {
  if (member.disabled) return 'user-disabled';
  return member.monitored ? 'monitor-enabled' : 'user-enabled';
}

export function stateOf(member: Member): State {
  if (member.forcedDown) return 'user-down';
  return member.monitored ? member.health : 'unchecked';
}

/** May a connection or request that belongs to no member yet go here? */
export function takesNew(member: Member): boolean {
  return !member.disabled && takesPersistent(member);
}

/** May one that carries a persistence record? A disabled member still accepts it, one that is forced offline does not. */
export function takesPersistent(member: Member): boolean {
  return !member.forcedDown && (!member.monitored || member.health === 'up');
}

/** Sets what is writable. A member that comes back from forced offline has to be seen by the monitor first. */
export function setMember(
  member: Member,
  to: { readonly disabled?: boolean; readonly forcedDown?: boolean },
): void {
  if (to.forcedDown === false && member.forcedDown) member.health = 'checking';
  member.forcedDown = to.forcedDown ?? member.forcedDown;
  member.disabled = to.disabled ?? member.disabled;
}
