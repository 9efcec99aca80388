import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LabBalancer, startLabBalancer } from './balancer/lab-balancer.ts';
import { Lab, type LabHost } from './lab.ts';
import { startLabMetrics } from './metrics.ts';
import { buildReleases, type SampleRelease } from './releases.ts';

const POOL = '/Common/web';
const PASSWORD = 'lab-only';

/** A whole small estate: hosts behind a balancer, releases to put there, and the configuration that tells Edge of it. */
export type Fleet = {
  readonly lab: Lab;
  readonly balancer: LabBalancer;
  readonly releases: readonly SampleRelease[];
  /** One YAML text with project, environment and project environment. */
  readonly configuration: string;
  /** Where the clients of the application knock. */
  readonly url: string;
  stop(): Promise<void>;
};

export type FleetOptions = { readonly folder: string; readonly hosts: number };

export async function startFleet({ folder, hosts }: FleetOptions): Promise<Fleet> {
  const lab = await Lab.start({ folder, hosts, zones: ['east', 'west'] });
  const balancer = await startLabBalancer({
    users: [{ name: 'edge', password: PASSWORD, role: 'admin', partition: 'all' }],
    pools: [
      {
        name: POOL,
        members: lab.hosts.map((host) => ({
          name: memberOf(host),
          connect: { host: host.address, port: host.appPort },
        })),
        monitor: { path: '/health', intervalMs: 500, timeoutMs: 2_000, fall: 3 },
      },
    ],
  });
  const metrics = await startLabMetrics(
    lab.hosts.map(({ name, appUrl }) => ({ instance: name, url: appUrl })),
  );
  const passwordFile = join(folder, 'balancer-password');
  await writeFile(passwordFile, PASSWORD, { mode: 0o600 });
  return {
    lab,
    balancer,
    releases: await buildReleases(join(folder, 'releases')),
    configuration: configurationOf(lab, { balancerUrl: balancer.url, metricsUrl: metrics.url, passwordFile }),
    url: balancer.virtualUrl(POOL),
    stop: async () => {
      await metrics.stop();
      await balancer.close();
      await lab.stop();
    },
  };
}

type Addresses = {
  readonly balancerUrl: string;
  readonly metricsUrl: string;
  readonly passwordFile: string;
};

const memberOf = (host: LabHost): string => `${host.name}:${host.appPort}`;

function configurationOf(
  { hosts, identityFile, knownHosts }: Lab,
  { balancerUrl, metricsUrl, passwordFile }: Addresses,
): string {
  return `# The sample estate of the lab: written by \`edge demo\`, and the whole of what Edge is told.
kind: project
name: shop
folder: ~/shop
health:
  check: { kind: http, path: /health, status: 200, version: { jsonPath: version } }
  passes: 3
  intervalMs: 200
  windowMs: 6000
analysis:
  metrics:
    - { name: errors, source: lab, query: "failed {{window}}", of: "requests {{window}}" }
  stepMs: 2000
  warmUpMs: 1000
  mostMs: 10000
  historyMs: 60000
---
kind: environment
name: lab
ssh:
  user: ${hosts[0]?.user ?? 'edge'}
  identityFile: ${identityFile}
  knownHosts: ${knownHosts}
balancers:
  f5:
    kind: f5
    url: ${balancerUrl}
    username: edge
    password: { source: file, name: ${passwordFile} }
    tls: none
metrics:
  lab:
    kind: http-json
    url: ${metricsUrl}/series?q={{query}}&from={{from}}&to={{to}}&step={{step}}
    unit: milliseconds
    delayMs: 1500
    paths: { series: series, labels: labels, times: times, values: values }
zones: [{ name: east }, { name: west }]
policy:
  minInService: 50%
---
kind: project-environment
project: shop
environment: lab
strategy:
  canary: 1
  batches: [25%, 50%, 100%]
  settleMs: 500
  drain: { timeoutMs: 30000, then: force }
targets:
${hosts.map(targetOf).join('\n')}
`;
}

const targetOf = (host: LabHost): string =>
  `  - { name: ${host.name}, address: ${host.address}, sshPort: ${host.port}, port: ${host.appPort}, zone: ${host.zone}, member: "web/${memberOf(host)}" }`;
