import type { BalancerConfig } from '../domain/balancer.ts';
import type { Platform } from '../plan/sequences.ts';
import type { Artifacts } from '../ports/artifacts.ts';
import type { Bell } from '../ports/bell.ts';
import type { Clock } from '../ports/clock.ts';
import type { HostKeys } from '../ports/host-keys.ts';
import type { Hosts } from '../ports/hosts.ts';
import type { Ids } from '../ports/ids.ts';
import type { Inventory } from '../ports/inventory.ts';
import type { Journal } from '../ports/journal.ts';
import type { LoadBalancer } from '../ports/load-balancer.ts';
import type { Random } from '../ports/random.ts';
import type { Records } from '../ports/records.ts';
import type { Simulator } from '../ports/simulator.ts';
import type { TaskBoard } from '../ports/task-board.ts';
import type { Views } from '../ports/views.ts';

/** All that operations reach the world with. */
export type OperationPorts = {
  readonly journal: Journal;
  readonly board: TaskBoard;
  readonly records: Records;
  readonly views: Views;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly bell: Bell;
  readonly random: Random;
  readonly artifacts: Artifacts;
  readonly hosts: Pick<Hosts, 'facts'> & HostKeys;
  readonly inventory: Inventory;
  /** One per device, shared. Used for looking only. */
  readonly balancer: (config: BalancerConfig) => Promise<LoadBalancer>;
  readonly platform: Platform;
  readonly simulator: Simulator;
};
