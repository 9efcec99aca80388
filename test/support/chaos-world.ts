import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import { EdgeError } from '../../src/domain/errors.ts';
import type { CancelProof, HostAddress, Hosts } from '../../src/ports/hosts.ts';
import { type Case, missing } from './chaos-cases.ts';
import { realClock } from './clock.ts';
import { addressOf } from './ssh-world.ts';
import type { Sshd } from './sshd.ts';
import type { TcpProxy } from './tcp-proxy.ts';

/** Hosts, the networks of the starters, and the workers, which are replaced when they die. */
export class World {
  readonly counts = { cuts: 0, workersKilled: 0, unreachable: 0, supervisorsKilled: 0, cancels: 0 };
  readonly quiet: Hosts;
  readonly #hosts: readonly Sshd[];
  readonly #proxies: readonly (readonly TcpProxy[])[];
  readonly #how: Partial<HostAddress>;
  readonly #workers: (Hosts & { close(): Promise<void> })[] = [];

  constructor(
    hosts: readonly Sshd[],
    proxies: readonly (readonly TcpProxy[])[],
    how: Partial<HostAddress> = {},
  ) {
    this.#how = how;
    this.#hosts = hosts;
    this.#proxies = proxies;
    this.quiet = this.newWorker();
  }

  newWorker(): Hosts {
    const worker = createSshHosts({ clock: realClock, random: Math.random, reconnectForMs: 300_000 });
    this.#workers.push(worker);
    return worker;
  }

  address(one: Case, starter: number): HostAddress {
    return { ...addressOf(this.host(one), this.proxy(one, starter).port), ...this.#how };
  }

  host(one: Case): Sshd {
    return this.#hosts[one.host] ?? missing();
  }

  proxy(one: Case, starter: number): TcpProxy {
    return this.#proxies[one.host]?.[starter] ?? missing();
  }

  /** Cancels as the engine does: while the host cannot be reached it is asked again. */
  async cancel(one: Case, graceMs: number): Promise<CancelProof> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.quiet.cancel(this.address(one, 0), one.task, graceMs);
      } catch (error) {
        if (!(error instanceof EdgeError) || error.code !== 'host_unreachable' || tries === 20) throw error;
        this.counts.unreachable += 1;
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }
}
