import type { Setup } from './edge-processes.ts';
import type { Workload } from './estate.ts';

/** What is killed: processes with SIGKILL; `cut`: every SSH connection, on the side of the hosts. */
export type Kill = 'server' | 'worker' | 'both' | 'cut';

export type Scenario = {
  readonly setup: Setup;
  /** One or two rounds; each waits until the deployment goes on before the next begins. */
  readonly kills: readonly Kill[];
  /** Kill the successor too, before or soon after it has come up. */
  readonly twice: boolean;
  /** Targets are members of a balancer, and the first kill comes while they are drained. */
  readonly balancer: boolean;
  /** `false`: the successor of the worker has another name, and proves nothing of its predecessor. */
  readonly proof: boolean;
};

const of = (setup: Setup, kills: readonly Kill[], more: Partial<Scenario> = {}): Scenario => ({
  ...{ setup, kills, twice: false, balancer: false, proof: true },
  ...more,
});

/** Every way to die, in every setup. */
export const SCENARIOS: readonly Scenario[] = [
  of('http', ['server', 'worker']),
  of('http', ['worker', 'server']),
  of('http', ['both', 'both']),
  of('one', ['server', 'cut']),
  of('http', ['cut', 'cut']),
  of('folder', ['server', 'worker']),
  of('http', ['worker'], { balancer: true }),
  of('http', ['server', 'server'], { twice: true }),
  of('http', ['worker', 'worker'], { twice: true }),
  of('one', ['server', 'server'], { twice: true }),
  of('folder', ['both', 'cut']),
  of('one', ['server'], { balancer: true }),
  of('http', ['both', 'worker'], { twice: true }),
  of('folder', ['worker', 'both']),
];

/** Takes the lease and the quarantine: more than a minute. */
export const WITHOUT_PROOF: Scenario = of('http', ['worker'], { balancer: true, proof: false });

export type Random = () => number;
export const between = (random: Random, low: number, high: number): number =>
  Math.round(low + random() * (high - low));

/** Commands of up to this many lines, eight a second of 500 bytes each; now and then much at once; a third of the last ones fail. */
export function workloadOf(random: Random, name: string, mostLines: number): Workload {
  const behaviour = () => ({
    lines: between(random, mostLines * 0.4, mostLines),
    burstBytes: random() < 0.3 ? between(random, 50_000, 400_000) : 0,
  });
  const steps = { stop: behaviour(), install: behaviour(), start: behaviour() };
  return { name, steps, lastExit: random() < 0.33 ? 7 : 0 };
}
