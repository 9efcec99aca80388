import type { Cluster } from './cluster.ts';
import type { Draw } from './draw.ts';
import type { FaultKind, Faults } from './faults.ts';
import type { Running } from './roles.ts';
import { refsOf, type Scenario, type ScenarioTarget } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import type { SimStore } from './store.ts';
import type { World } from './world.ts';

export type NatureParts = {
  readonly scenario: Scenario;
  readonly schedule: Schedule;
  readonly draw: Draw;
  readonly faults: Faults;
  readonly world: World;
  readonly cluster: Cluster;
  readonly store: SimStore;
  readonly cutOff: Set<string>;
  /** Whether a deployment is under way: else a fault would meet nothing. */
  readonly isBusy: () => boolean;
};

const EVERY_MS = 2_000;
const BY_HAND_AGAIN_MS = 20_000;
/** A server's clock may be off by this much. */
const SKEW_MS = 300_000;

/** What happens to machines, processes and devices by itself, every few seconds, to something that is at work. */
export class Nature {
  readonly #parts: NatureParts;

  constructor(parts: NatureParts) {
    this.#parts = parts;
    this.#tick();
  }

  #tick(): void {
    const { schedule, draw, faults, isBusy } = this.#parts;
    schedule.after(draw.int(1, 2 * EVERY_MS), () => {
      if (faults.areOver) return this.#heal();
      if (isBusy()) {
        this.#ofProcesses();
        this.#ofHosts();
        this.#ofBalancers();
        this.#ofStore();
      }
      this.#tick();
    });
  }

  /** What was broken for good is mended, as people do in time. */
  #heal(): void {
    const { world, scenario, cutOff } = this.#parts;
    cutOff.clear();
    for (const { name, found } of scenario.targets) {
      const host = world.hosts.host(name);
      host.reachable = true;
      host.isDiskFull = false;
      if (found === 'serves') world.service(name).start('world');
    }
  }

  #ofProcesses(): void {
    const { cluster, draw, faults } = this.#parts;
    const some = (running: readonly Running[]) => (running.length > 0 ? draw.pick(running) : undefined);
    this.#happens('server.crash', () => some(cluster.servers)?.life.crash());
    this.#happens('worker.crash', () => some(cluster.workers)?.life.crash());
    this.#happens('process.stops', () => {
      const running = some(cluster.all);
      if (running) cluster.stop(running);
    });
    this.#happens('process.pause', () => {
      const ms = draw.chance(0.3) ? draw.int(60_000, 120_000) : draw.skewed(500, 120_000);
      some(cluster.all)?.life.pause(ms);
      faults.lasts('process.pause', ms);
    });
    this.#happens('clock.skew', () => {
      const running = some(cluster.all);
      if (running) running.life.skewMs = draw.int(-SKEW_MS, SKEW_MS);
    });
  }

  /** Only a host on which a command runs counts as met. */
  #ofHosts(): void {
    const { scenario, world, draw, schedule } = this.#parts;
    const at = scenario.targets.filter(({ name }) => world.hosts.host(name).running().length > 0);
    const [target] = at.length > 0 ? [draw.pick(at)] : [];
    if (!target) return;
    const host = world.hosts.host(target.name);
    const [running] = host.running();
    this.#happens('host.reboot', () => world.reboot(target.name, scenario.startsAtBoot));
    this.#happens('host.wiped', () => {
      host.wipe();
      world.service(target.name).wipe();
    });
    this.#happens('host.supervisor-killed', () => running !== undefined && host.killSupervisor(running));
    this.#happens('host.disk-full', () => {
      host.isDiskFull = true;
      schedule.after(draw.int(5_000, 60_000), () => {
        host.isDiskFull = false;
      });
    });
    this.#happens('host.gone', () => {
      host.reachable = false;
      schedule.after(draw.int(1_000, 60_000), () => {
        host.reachable = true;
      });
    });
  }

  #ofBalancers(): void {
    const { scenario, world, draw, schedule } = this.#parts;
    this.#happens('service.dies', () => world.service(draw.pick(scenario.targets).name).stop('world'));
    if (world.balancerNames.length === 0) return;
    this.#happens('balancer.forgets-drains', () => world.forgetDrains(draw.pick(world.balancerNames)));
    this.#happens('balancer.edited', () => {
      const target = draw.pick(scenario.targets);
      this.#disable(target);
      schedule.after(draw.int(10_000, 200_000), () => this.#enable(target));
    });
  }

  /** Somebody takes a member that serves out by hand, for a while. */
  #disable(target: ScenarioTarget): void {
    for (const { balancer, ...member } of refsOf(target)) {
      if (this.#parts.world.member(balancer, member).admin === 'enabled')
        this.#parts.world.edit(balancer, member, { admin: 'offline' });
    }
  }

  /** Nobody puts a member back by hand while a deployment has it. */
  #enable(target: ScenarioTarget): void {
    const { world, store, schedule } = this.#parts;
    const { name, found } = target;
    if (found === 'disabled') return;
    const [held] = store.truth.look('SELECT 1 FROM holds WHERE target = ? LIMIT 1', name);
    if (held) schedule.after(BY_HAND_AGAIN_MS, () => this.#enable(target));
    else
      for (const { balancer, ...member } of refsOf(target))
        world.edit(balancer, member, { admin: 'enabled' });
  }

  #ofStore(): void {
    const { store, draw, scenario, cutOff, schedule } = this.#parts;
    if (this.#strikesUncounted('store.outage')) store.goDown(draw.skewed(1_000, 60_000));
    if (this.#strikesUncounted('store.failover')) store.failOver(draw.int(1_000, 15_000));
    if (this.#strikesUncounted('board.cut-off')) {
      const { name } = draw.pick(scenario.zones);
      cutOff.add(name);
      schedule.after(draw.skewed(2_000, 180_000), () => cutOff.delete(name));
    }
  }

  #happens(kind: FaultKind, what: () => unknown): void {
    if (this.#parts.faults.strikes(kind)) what();
  }

  /** A time in which calls fail: each call that it meets is counted. */
  #strikesUncounted(kind: FaultKind): boolean {
    return this.#parts.draw.chance(this.#parts.faults.strength(kind));
  }
}
