import { createF5Balancer } from './adapters/f5/load-balancer.ts';
import { FileArtifacts } from './adapters/files/artifacts.ts';
import type { BringingParts } from './adapters/files/bringing.ts';
import { ArtifactStore, type StoreOptions } from './adapters/files/store.ts';
import { createHaproxyBalancer } from './adapters/haproxy/load-balancer.ts';
import { createHttpJsonMetrics } from './adapters/http-json-metrics/metrics.ts';
import type { ReplyPaths } from './adapters/http-json-metrics/reply.ts';
import { createNginxBalancer } from './adapters/nginx/load-balancer.ts';
import { createPrometheusMetrics } from './adapters/prometheus/metrics.ts';
import { createSshHosts } from './adapters/ssh/ssh-hosts.ts';
import { systemClock } from './adapters/system/clock.ts';
import { systemFraction } from './adapters/system/random.ts';
import { systemSecrets } from './adapters/system/secrets.ts';
import { together } from './adapters/together/load-balancer.ts';
import { type BalancerConfig, socketsOf } from './domain/balancer.ts';
import type { MetricSourceConfig } from './domain/metric-source.ts';
import { hashOf } from './lib/hash.ts';
import { createSerial, type Serial } from './lib/serial.ts';
import type { MetricsParts } from './outbound/ask-metrics.ts';
import { HttpClient } from './outbound/http.ts';
import { createProbe } from './outbound/probe.ts';
import type { ActionPorts } from './ports/action.ts';
import type { Artifacts } from './ports/artifacts.ts';
import type { HostKeys } from './ports/host-keys.ts';
import type { LoadBalancer } from './ports/load-balancer.ts';
import type { MetricsSource } from './ports/metrics.ts';
import { type KeepingBalancer, keepingBalancer } from './worker/keeping-balancer.ts';
import type { WorkerPorts } from './worker/settings.ts';

/** What actions reach hosts, balancers, metrics and health pages with, and where they have artifacts from; a process has one. */
export type World = ActionPorts &
  Pick<WorkerPorts, 'balancer'> & {
    readonly hosts: HostKeys;
    readonly artifacts: Artifacts;
    close(): Promise<void>;
  };

export type ArtifactSettings = StoreOptions &
  Pick<BringingParts, 'server'> & {
    /** The only origins that artifacts may come from; left out: any. */
    readonly origins?: readonly string[];
  };

/** `environment`: where secrets of `source: env` are looked up, and the agent of SSH. */
export function worldOf(
  environment: Readonly<Record<string, string | undefined>>,
  { server, origins, ...store }: ArtifactSettings,
): World {
  const clock = systemClock;
  const secrets = systemSecrets(environment);
  const agentSocket = environment.SSH_AUTH_SOCK;
  const hosts = createSshHosts({
    clock,
    random: systemFraction,
    secrets,
    ...(agentSocket && { agentSocket }),
  });
  const devices = new Map<string, KeepingBalancer>();
  const queues = new Map<string, Serial>();
  /** One for all environments and partitions that write to a device. */
  const queueOf = (device: string): Serial => {
    const queue = queues.get(device) ?? createSerial();
    queues.set(device, queue);
    return queue;
  };
  const balancer = async (config: BalancerConfig): Promise<KeepingBalancer> => {
    const key = hashOf(config);
    const made = () => keepingBalancer(createBalancer(config, { clock, secrets, hosts, queueOf }), clock);
    const device = devices.get(key) ?? made();
    devices.set(key, device);
    return device;
  };
  const sources = new Map<string, MetricsSource>();
  const metrics = async (config: MetricSourceConfig): Promise<MetricsSource> => {
    const key = hashOf(config);
    const source = sources.get(key) ?? createMetrics(config, { clock, secrets });
    sources.set(key, source);
    return source;
  };
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => clock.sleep(ms, signal);
  const http = new HttpClient({ trust: 'system', sleep });
  const artifacts = new FileArtifacts({
    ...{ store: new ArtifactStore(store), environment, sleep },
    network: { http, secrets, ...(origins && { origins }) },
    ...(server && { server }),
  });
  const close = async () => {
    const outside = [...devices.values(), ...sources.values()];
    await Promise.allSettled(outside.map((one) => one.close()));
    await http.close();
    await hosts.close();
  };
  return { clock, secrets, hosts, balancer, metrics, artifacts, probe: createProbe(http), close };
}

type ForBalancers = Pick<ActionPorts, 'clock' | 'secrets' | 'hosts'> & { queueOf(device: string): Serial };

function createBalancer(
  config: BalancerConfig,
  { clock, secrets, hosts, queueOf }: ForBalancers,
): LoadBalancer {
  switch (config.kind) {
    case 'f5': {
      const queue = queueOf(new URL(config.url).host);
      return createF5Balancer({ config, clock, queue, password: () => secrets.resolve(config.password) });
    }
    case 'haproxy':
      return together(
        socketsOf(config).map((socket) => ({ name: socket, balancer: createHaproxyBalancer({ socket }) })),
      );
    case 'nginx':
      return together(
        config.hosts.map((host) => ({
          name: host.address,
          balancer: createNginxBalancer({ config, host, hosts }),
        })),
      );
    default:
      return config satisfies never;
  }
}

/** `tls` says how a certificate is checked, and plain http shows none. */
function createMetrics(config: MetricSourceConfig, parts: MetricsParts): MetricsSource {
  const tls = config.url.startsWith('https:') ? config.tls : 'none';
  switch (config.kind) {
    case 'prometheus':
      return createPrometheusMetrics({ ...config, tls }, parts);
    case 'http-json':
      return createHttpJsonMetrics({ ...config, tls, paths: pathsOf(config.paths) }, parts);
    default:
      return config satisfies never;
  }
}

type WrittenPaths = Extract<MetricSourceConfig, { kind: 'http-json' }>['paths'];

function pathsOf({ times, values, ...others }: WrittenPaths): ReplyPaths {
  const steps = (path: string) => path.split('.');
  const given = Object.entries(others).map(([name, path]) => [name, steps(path)] as const);
  return { times: steps(times), values: steps(values), ...Object.fromEntries(given) };
}
