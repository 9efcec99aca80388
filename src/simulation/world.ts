import type { Program } from '../adapters/memory/behaviour.ts';
import { MemoryHosts } from '../adapters/memory/hosts.ts';
import { createMemoryBalancer, type MemoryBalancer } from '../adapters/memory/load-balancer.ts';
import type { MemberRef, MemberState } from '../domain/balancer.ts';
import { memberKey } from '../domain/capacity.ts';
import type { ReleaseId } from '../domain/ids.ts';
import type { LoadBalancer, PoolMember } from '../ports/load-balancer.ts';
import type { HttpSeen, TcpSeen } from '../ports/probe.ts';
import type { Draw } from './draw.ts';
import type { Sender, Tell } from './facts.ts';
import type { Faults } from './faults.ts';
import { worldClock } from './life.ts';
import { type Manner, SWARM_MANNER } from './manner.ts';
import { isMarked } from './programs.ts';
import { type Nature, refsOf, type Scenario, type ScenarioTarget } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import { Service } from './service.ts';

export type WorldParts = {
  readonly schedule: Schedule;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly tell: Tell;
  readonly natureOf: (release: ReleaseId) => Nature;
  /** What the targets run before anything begins. */
  readonly before: (target: ScenarioTarget) => ReleaseId | null;
  readonly manner?: Manner;
};

type Write = { readonly member: PoolMember; readonly sender: Sender; readonly to: 'out' | 'back' };

/** Who has sent a request may hang up; what has arrived is done all the same. */
const HEEDLESS = new AbortController().signal;

const CONNECTIONS = 8;

/** The estate: hosts with their services, and balancers that see them. It is what it is, whatever Edge believes of it. */
export class World {
  readonly targets: ReadonlyMap<string, ScenarioTarget>;
  readonly services: ReadonlyMap<string, Service>;
  readonly hosts: MemoryHosts;
  readonly manner: Manner;
  readonly #balancers: ReadonlyMap<string, MemoryBalancer>;
  readonly #parts: WorldParts;
  /** Names of targets, by member. */
  readonly #owners: ReadonlyMap<string, string>;
  /** Members whose state somebody other than Edge has set last. */
  readonly #byHand = new Set<string>();
  readonly #editedAtMs = new Map<string, number>();

  constructor(scenario: Scenario, parts: WorldParts) {
    this.#parts = parts;
    this.manner = parts.manner ?? SWARM_MANNER;
    this.#owners = new Map(
      scenario.targets.flatMap((target) => refsOf(target).map((ref) => [memberKey(ref), target.name])),
    );
    this.targets = new Map(scenario.targets.map((target) => [target.name, target]));
    this.services = new Map(scenario.targets.map((target) => [target.name, this.#service(scenario, target)]));
    const program: Program = (task, name) => {
      const { draw, faults, tell } = parts;
      return this.manner.behaviourOf(
        { target: name, host: this.hosts.host(name), service: this.service(name), draw, faults, tell },
        task,
      );
    };
    this.hosts = new MemoryHosts(worldClock(parts.schedule), program, {
      made: (name, file) => isMarked(this.service(name), file),
    });
    this.#balancers = balancersOf(scenario);
    for (const target of scenario.targets) this.#found(target);
  }

  service(target: string): Service {
    const service = this.services.get(target);
    if (!service) throw new RangeError(`no target ${target}`);
    return service;
  }

  /** The target that a member is of. */
  ownerOf(member: MemberRef): string {
    return this.#owners.get(memberKey(member)) ?? member.member;
  }

  /** A balancer as Edge reaches it: what Edge changes there is told as such. */
  device(name: string, sender: Sender): LoadBalancer {
    const device = this.balancer(name);
    return {
      members: (pool, signal) => device.members(pool, signal),
      disable: (member, to) =>
        this.#written(name, { member, sender, to: 'out' }, () => device.disable(member, to, HEEDLESS)),
      restore: (member, asFound) =>
        this.#written(name, { member, sender, to: 'back' }, () => device.restore(member, asFound, HEEDLESS)),
      close: () => device.close(),
    };
  }

  balancer(name: string): MemoryBalancer {
    const device = this.#balancers.get(name);
    if (!device) throw new RangeError(`no balancer ${name}`);
    return device;
  }

  get balancerNames(): readonly string[] {
    return [...this.#balancers.keys()];
  }

  /** Somebody changes a member past Edge. */
  edit(name: string, member: PoolMember, to: { readonly admin: MemberState['admin'] }): void {
    void this.#changed(name, member, 'world', async () => this.balancer(name).editByHand(member, to));
  }

  lastEditedByHand(name: string, member: PoolMember): boolean {
    return this.#byHand.has(memberKey({ balancer: name, ...member }));
  }

  editedAtMs(name: string, member: PoolMember): number {
    return this.#editedAtMs.get(memberKey({ balancer: name, ...member })) ?? Number.NEGATIVE_INFINITY;
  }

  /** A reload: what was disabled at run time is enabled again. */
  forgetDrains(name: string): void {
    for (const target of this.targets.values()) {
      for (const { balancer, ...member } of refsOf(target)) {
        const isDrained = this.member(balancer, member).admin !== 'enabled' && target.found !== 'disabled';
        if (balancer === name && isDrained) this.edit(name, member, { admin: 'enabled' });
      }
    }
  }

  member(name: string, { pool, member }: PoolMember): MemberState {
    const found = this.balancer(name)
      .look(pool)
      .find((state) => state.member === member);
    if (!found) throw new RangeError(`no member ${member} in ${pool}`);
    return found;
  }

  /** What a health check gets for an answer. */
  probe(url: string): HttpSeen {
    const target = this.manner.targetAt(url);
    const version = this.#look(target);
    if (version === null) return { kind: 'nothing', why: 'connection refused' };
    return this.manner.answerOf(target, { version, isWell: this.service(target).isWell });
  }

  /** What who only connects gets: a port is open once the service is well. */
  connect(address: string, port: number): TcpSeen {
    const target = this.manner.targetAt(`${address}:${port}`);
    const isOpen = this.#look(target) !== null && this.service(target).isWell;
    return isOpen ? { kind: 'open' } : { kind: 'nothing', why: 'connection refused' };
  }

  /** The version that somebody who looks at a target finds there; `null` of one that does not answer. */
  #look(target: string): string | null {
    const service = this.service(target);
    const version = service.running?.replace(/-[0-9a-f]{8}$/, '') ?? null;
    const isUp = this.hosts.host(target).reachable && version !== null;
    this.#parts.tell({ kind: 'probe.answered', target, version: isUp && service.isWell ? version : null });
    return isUp ? version : null;
  }

  /** A host goes down and comes back, with nothing that ran; its service only if it starts at boot. */
  reboot(target: string, startsAtBoot: boolean): void {
    const host = this.hosts.host(target);
    host.reachable = false;
    this.service(target).stop('world');
    host.reboot();
    this.#parts.schedule.after(this.#parts.draw.int(1_000, 30_000), () => {
      host.reachable = true;
      if (startsAtBoot) this.service(target).start('world');
    });
  }

  #written<T>(name: string, { member, sender, to }: Write, write: () => Promise<T>): Promise<T> {
    const ref = { balancer: name, ...member };
    this.#parts.tell({ kind: 'member.written', target: this.ownerOf(ref), member: ref, sender, to });
    return this.#changed(name, member, 'edge', write);
  }

  async #changed<T>(
    name: string,
    member: PoolMember,
    by: 'edge' | 'world',
    change: () => Promise<T>,
  ): Promise<T> {
    const before = this.member(name, member);
    const done = change();
    const after = this.member(name, member);
    if (before.admin !== after.admin) {
      const ref = { balancer: name, ...member };
      if (by === 'world') this.#byHand.add(memberKey(ref));
      else this.#byHand.delete(memberKey(ref));
      if (by === 'world') this.#editedAtMs.set(memberKey(ref), this.#parts.schedule.nowMs);
      const target = this.ownerOf(ref);
      this.#parts.tell({ kind: 'member.changed', target, member: ref, before, after, by });
      this.#connections(name, member);
    }
    return done;
  }

  /** Connections come to who is enabled, end one by one where it is drained, and at once where it is offline. */
  #connections(name: string, member: PoolMember): void {
    const device = this.balancer(name);
    const { admin } = this.member(name, member);
    if (admin !== 'drained') device.setConnections(member, admin === 'enabled' ? CONNECTIONS : 0);
    if (admin !== 'drained' || this.#parts.faults.strikes('connections.stay')) return;
    this.#parts.schedule.after(this.manner.drainMs(this.#parts.draw), () => {
      if (this.member(name, member).admin === 'drained') device.setConnections(member, 0);
    });
  }

  #service(scenario: Scenario, target: ScenarioTarget): Service {
    const { schedule, draw, faults, natureOf } = this.#parts;
    const { passes, intervalMs } = scenario.projects.find(({ name }) => name === target.project)?.health ?? {
      passes: 1,
      intervalMs: 1_000,
    };
    const onChange = (by: 'edge' | 'world'): void => this.#onService(target, by);
    const flapMs = Math.max(50, (passes - 1) * intervalMs - 50);
    const { warmUpMs } = this.manner;
    return new Service({ schedule, draw, faults, natureOf, flapMs, warmUpMs, onChange });
  }

  #found(target: ScenarioTarget): void {
    const release = this.#parts.before(target);
    const service = this.service(target.name);
    if (release !== null && target.found !== 'new') service.foundWith(release, target.found !== 'stopped');
    for (const [n, { balancer, ...member }] of refsOf(target).entries()) {
      const device = this.balancer(balancer);
      const isDisabled = target.found === 'disabled' || target.members[n]?.isDisabled === true;
      device.setHealth(member, service.isWell ? 'up' : 'down');
      if (isDisabled) device.editByHand(member, { admin: 'offline' });
      device.setConnections(member, target.found === 'serves' && !isDisabled ? CONNECTIONS : 0);
    }
  }

  /** The balancers' monitors see it a little later. */
  #onService(target: ScenarioTarget, by: 'edge' | 'world'): void {
    const { schedule, draw, faults, tell } = this.#parts;
    const service = this.service(target.name);
    tell({
      kind: 'service.changed',
      target: target.name,
      running: service.running,
      isWell: service.isWell,
      by,
    });
    for (const { balancer, ...member } of refsOf(target)) {
      const isLate = faults.strikes('balancer.monitor-late');
      const ms = this.manner.monitorMs(draw, { isLate, isWell: service.isWell });
      const look = (): void => {
        this.balancer(balancer).setHealth(member, service.isWell ? 'up' : 'down');
        tell({ kind: 'health.seen', target: target.name });
      };
      schedule.after(ms, look);
    }
  }
}

/** Every second one remembers clients, so that its members go offline once they are drained. */
function balancersOf({ targets }: Scenario): ReadonlyMap<string, MemoryBalancer> {
  const members = targets.flatMap(refsOf);
  const devices = Map.groupBy(members, ({ balancer }) => balancer);
  return new Map(
    [...devices].map(([device, of], at) => {
      const pools = Object.fromEntries(
        [...Map.groupBy(of, ({ pool }) => pool)].map(([pool, all]) => [
          pool,
          all.map(({ member }) => member),
        ]),
      );
      return [device, createMemoryBalancer(pools, { persistent: at % 2 === 1 })];
    }),
  );
}
