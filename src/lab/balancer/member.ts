/** A member of a pool as it is configured. `name` is the device's own, `connect` is where its traffic really goes. */
export type MemberSettings = {
  /** Without a partition it belongs to that of its pool; `/Common/web-1:8080` names another. */
  readonly name: string;
  readonly connect: { readonly host: string; readonly port: number };
  /** Address of its node, as the configuration shows it; else the name of the node. */
  readonly address?: string;
  /** Shown and kept, as `ratio` of a device is: the lab's virtual servers go round robin, which heeds none. */
  readonly ratio?: number;
  /** Higher ones get the traffic first; heeded once the pool has `minActiveMembers`. */
  readonly priorityGroup?: number;
};

export type Session = 'user-enabled' | 'user-disabled' | 'monitor-enabled';
export type State = 'up' | 'down' | 'checking' | 'unchecked' | 'user-down';

/** The live state of one member: what people asked for, what the monitor sees, and the traffic it carries. */
export type Member = {
  readonly name: string;
  readonly partition: string;
  readonly connect: { readonly host: string; readonly port: number };
  readonly address: string | undefined;
  readonly monitored: boolean;
  disabled: boolean;
  forcedDown: boolean;
  ratio: number;
  priorityGroup: number;
  /** Its node is disabled, or forced offline: the same for every pool that the node is in. */
  node: 'enabled' | 'disabled' | 'forcedDown';
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
    address: settings.address,
    monitored,
    disabled: false,
    forcedDown: false,
    ratio: settings.ratio ?? 1,
    priorityGroup: settings.priorityGroup ?? 0,
    node: 'enabled',
    health: 'checking',
    connections: 0,
    requests: 0,
  };
}

/** `web-1` of `web-1:8080`; an IPv6 address has a dot before its port. */
export function nodeOf({ name }: Pick<Member, 'name'>): string {
  return name.slice(0, name.split(':').length > 2 ? name.lastIndexOf('.') : name.lastIndexOf(':'));
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
  return !member.disabled && member.node === 'enabled' && takesPersistent(member);
}

/** May one that carries a persistence record? A disabled member still accepts it, one that is forced offline does not. */
export function takesPersistent(member: Member): boolean {
  return !member.forcedDown && member.node !== 'forcedDown' && (!member.monitored || member.health === 'up');
}

/** What the configuration says of a member: what is synced, saved, and lost by a reboot that nobody saved for. */
export type MemberConfig = Pick<Member, 'disabled' | 'forcedDown' | 'ratio' | 'priorityGroup'>;

export const configOf = ({ disabled, forcedDown, ratio, priorityGroup }: Member): MemberConfig => {
  return { disabled, forcedDown, ratio, priorityGroup };
};

/** Sets what is writable. A member that comes back from forced offline has to be seen by the monitor first. */
export function setMember(member: Member, to: Partial<MemberConfig>): void {
  if (to.forcedDown === false && member.forcedDown) member.health = 'checking';
  member.forcedDown = to.forcedDown ?? member.forcedDown;
  member.disabled = to.disabled ?? member.disabled;
  member.ratio = to.ratio ?? member.ratio;
  member.priorityGroup = to.priorityGroup ?? member.priorityGroup;
}
