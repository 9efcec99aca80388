import { environmentSchema } from '../src/domain/environment.ts';
import type { Plan, Step } from '../src/domain/plan.ts';
import { projectSchema } from '../src/domain/project.ts';
import { projectEnvironmentSchema } from '../src/domain/project-environment.ts';
import { makeRelease, type Release, releaseRequestSchema } from '../src/domain/release.ts';
import type { PlanRequest } from '../src/plan/request.ts';

const POOL_SIZE = 100;

/**
 * What is deployed how. `simulated`: six steps that take no input, all targets in one batch without a floor, 1,000 at once: what the
 * engine itself costs. `datacenter`: the real plan, with its capacity, holds, inputs, canary and growing batches, 200 at once.
 */
export type Workload = 'simulated' | 'datacenter';

const SETTINGS: Readonly<Record<Workload, object>> = {
  simulated: {
    strategy: { settleMs: 0, parallel: 1_000, canary: 0, batches: ['100%'] },
    policy: { minInService: 0 },
  },
  datacenter: { strategy: { settleMs: 0, parallel: 200 } },
};

/** The plan with every sequence replaced by six steps of an action that does nothing. */
export function simulated(plan: Plan): Plan {
  const steps = Array.from({ length: 6 }, (_, index): Step => {
    const rest = { timeoutMs: 600_000, retries: { max: 0, backoffMs: 0 }, onUnknown: 'ask' } as const;
    return { id: `step-${index + 1}`, action: 'host.run@1', inputs: {}, ...rest };
  });
  return { ...plan, sequences: Object.fromEntries(Object.keys(plan.sequences).map((name) => [name, steps])) };
}

/**
 * Release 2.0.0 to a fleet that runs 1.0.0: seven steps a target (no health check, no settling), pools of 100 members with the
 * floor of the workload. Neighbours in the list are in different pools.
 */
export function requestOf(count: number, workload: Workload): PlanRequest {
  const pools = Math.ceil(count / POOL_SIZE);
  const names = Array.from({ length: count }, (_, index) => `web-${index}`);
  const poolOf = (index: number) => `pool-${index % pools}`;
  const targets = names.map((name, index) => ({
    name,
    address: `10.${Math.floor(index / 62_500)}.${Math.floor(index / 250) % 250}.${(index % 250) + 1}`,
    port: 8080,
    member: `${poolOf(index)}/${name}`,
  }));
  const place = { project: 'web', environment: 'production' };
  const before = release('1.0.0');
  return {
    project: projectSchema.parse({ kind: 'project', name: 'web', folder: '/srv/web' }),
    environment: environmentSchema.parse({
      kind: 'environment',
      name: 'production',
      ssh: { user: 'deploy', identityFile: '/keys/edge', knownHosts: '/keys/known_hosts' },
      balancers: { lb: { kind: 'haproxy', socket: '/run/haproxy.sock' } },
    }),
    projectEnvironment: {
      ...projectEnvironmentSchema.parse({
        kind: 'project-environment',
        ...place,
        targets,
        ...SETTINGS[workload],
      }),
      targets,
    },
    strategies: [],
    scripts: [],
    hostKeys: new Map(),
    verb: 'deploy',
    hard: false,
    release: release('2.0.0'),
    releases: [before],
    fleet: names.map((target) => ({ target, before: before.id, parked: false, running: true })),
    pools: [...Map.groupBy(names, (_, index) => poolOf(index))].map(([pool, members]) => ({
      balancer: 'lb',
      pool,
      members: members.map((member) => ({ member, admin: 'enabled', health: 'up' })),
    })),
    heldByOthers: [],
    options: { force: false, targets: null },
  };
}

function release(version: string): Release {
  const artifacts = [{ name: 'web.tar.gz', path: `/artifacts/web-${version}.tar.gz`, unpack: 'tar.gz' }];
  const request = releaseRequestSchema.parse({ kind: 'release', project: 'web', version, artifacts });
  return makeRelease(
    request,
    {
      artifacts: [
        {
          sha256: version.slice(0, 1).repeat(64),
          sizeBytes: 1_000,
          place: { path: `/artifacts/web-${version}.tar.gz` },
        },
      ],
    },
    0,
  );
}
