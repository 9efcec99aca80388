import type { Behaviour } from '../adapters/memory/behaviour.ts';
import { type BalancerConfig, socketsOf } from '../domain/balancer.ts';
import type { RemoteTask } from '../ports/hosts.ts';
import type { HttpSeen } from '../ports/probe.ts';
import type { Draw } from './draw.ts';
import { behaviourOf, type ProgramParts } from './programs.ts';

/** What a health check finds where it asks: whether the service runs and is well, and which version it says. */
export type Found = { readonly version: string; readonly isWell: boolean };

/**
 * How the world answers and how long it takes, where that depends on what is simulated: any estate of a swarm, or that of a
 * given plan.
 */
export type Manner = {
  readonly behaviourOf: (parts: ProgramParts, task: RemoteTask) => Behaviour;
  /** The name under which members know the device that a configuration reaches. */
  readonly deviceOf: (config: BalancerConfig) => string;
  /** The target that answers at a URL, or at `address:port`. */
  readonly targetAt: (place: string) => string;
  readonly answerOf: (target: string, found: Found) => HttpSeen;
  /** Until the last connection of a drained member ends. */
  readonly drainMs: (draw: Draw) => number;
  /** Until a monitor sees what has changed. */
  readonly monitorMs: (draw: Draw, change: { readonly isLate: boolean; readonly isWell: boolean }) => number;
  /** From the start of a service until it is well. */
  readonly warmUpMs: (draw: Draw, isSlow: boolean) => number;
};

/** The simulated world knows a device by where it answers. */
export function placeOf(config: BalancerConfig): string {
  switch (config.kind) {
    case 'f5':
      return config.url;
    case 'haproxy':
      return socketsOf(config).join();
    case 'nginx':
      return config.hosts.map(({ address }) => address).join();
    default:
      return config satisfies never;
  }
}

export const SWARM_MANNER: Manner = {
  behaviourOf,
  deviceOf: placeOf,
  targetAt: (url) => new URL(url).hostname.split('.')[0] ?? '',
  answerOf: (_target, { version, isWell }) => ({
    kind: 'answer',
    status: isWell ? 200 : 503,
    headers: { 'x-version': version },
    body: '',
  }),
  drainMs: (draw) => draw.skewed(50, 4_000),
  monitorMs: (draw, { isLate }) => (isLate ? draw.int(2_000, 20_000) : draw.int(100, 1_500)),
  warmUpMs: (draw, isSlow) => (isSlow ? draw.int(5_000, 40_000) : draw.int(50, 1_500)),
};
