import { createCloudwatchMetrics } from './adapters/cloudwatch/metrics.ts';
import { createDatadogMetrics } from './adapters/datadog/metrics.ts';
import { createF5Balancer } from './adapters/f5/load-balancer.ts';
import { FileArtifacts } from './adapters/files/artifacts.ts';
import type { BringingParts } from './adapters/files/bringing.ts';
import { ArtifactStore, type StoreOptions } from './adapters/files/store.ts';
import { createGraphiteMetrics } from './adapters/graphite/metrics.ts';
import { createHaproxyBalancer } from './adapters/haproxy/load-balancer.ts';
import { createHaproxyStatistics } from './adapters/haproxy/statistics.ts';
import { createHttpJsonMetrics } from './adapters/http-json-metrics/metrics.ts';
import type { ReplyPaths } from './adapters/http-json-metrics/reply.ts';
import { createInfluxdbMetrics } from './adapters/influxdb/metrics.ts';
import { createNewRelicMetrics } from './adapters/new-relic/metrics.ts';
import { createNginxBalancer } from './adapters/nginx/load-balancer.ts';
import { createOpensearchMetrics } from './adapters/opensearch-metrics/metrics.ts';
import { createPrometheusMetrics } from './adapters/prometheus/metrics.ts';
import { createSshHosts } from './adapters/ssh/ssh-hosts.ts';
import { systemClock } from './adapters/system/clock.ts';
import { systemFraction } from './adapters/system/random.ts';
import { systemSecrets } from './adapters/system/secrets.ts';
import { together } from './adapters/together/load-balancer.ts';
import { uncountedTraffic } from './adapters/uncounted/statistics.ts';
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
import type { TrafficStatistics } from './ports/traffic-statistics.ts';
import { keepingBalancer } from './worker/keeping-balancer.ts';
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
  const queues = new Map<string, Serial>();
  /** One for all environments and partitions that write to a device. */
  const queueOf = (device: string): Serial => {
    const queue = queues.get(device) ?? createSerial();
    queues.set(device, queue);
    return queue;
  };
  const devices = onePerConfiguration((config: BalancerConfig) =>
    keepingBalancer(createBalancer(config, { clock, secrets, hosts, queueOf }), clock),
  );
  const counting = onePerConfiguration((config: BalancerConfig) => createStatistics(config, clock));
  const sources = onePerConfiguration((config: MetricSourceConfig) =>
    createMetricsSource(config, { clock, secrets }),
  );
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => clock.sleep(ms, signal);
  const http = new HttpClient({ trust: 'system', sleep });
  const artifacts = new FileArtifacts({
    ...{ store: new ArtifactStore(store), environment, sleep },
    network: { http, secrets, ...(origins && { origins }) },
    ...(server && { server }),
  });
  const close = async () => {
    await Promise.allSettled([devices, counting, sources].map((made) => made.close()));
    await http.close();
    await hosts.close();
  };
  const outside = { balancer: devices.of, statistics: counting.of, metrics: sources.of };
  return { clock, secrets, hosts, ...outside, artifacts, probe: createProbe(http), close };
}

/** What a process has one of for each configuration, however many tasks use it. */
function onePerConfiguration<Config, Made extends { close(): Promise<void> }>(
  make: (config: Config) => Made,
) {
  const made = new Map<string, Made>();
  return {
    of: async (config: Config): Promise<Made> => {
      const key = hashOf(config);
      const one = made.get(key) ?? make(config);
      made.set(key, one);
      return one;
    },
    close: () => Promise.allSettled([...made.values()].map((one) => one.close())),
  };
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

/** What a balancer counts of its members. */
function createStatistics(config: BalancerConfig, clock: ActionPorts['clock']): TrafficStatistics {
  switch (config.kind) {
    case 'f5':
      return uncountedTraffic('F5 BIG-IP');
    case 'haproxy':
      return createHaproxyStatistics({ sockets: socketsOf(config) }, clock);
    case 'nginx':
      return uncountedTraffic('nginx');
    default:
      return config satisfies never;
  }
}

/** `tls` says how a certificate is checked, and plain http shows none. */
function createMetricsSource(written: MetricSourceConfig, parts: MetricsParts): MetricsSource {
  const address = written.kind === 'cloudwatch' ? (written.endpoint ?? 'https:') : written.url;
  const config = { ...written, tls: address.startsWith('https:') ? written.tls : ('none' as const) };
  switch (config.kind) {
    case 'prometheus':
      return createPrometheusMetrics(config, parts);
    case 'graphite':
      return createGraphiteMetrics(config, parts);
    case 'influxdb':
      return createInfluxdbMetrics(config, parts);
    case 'opensearch':
      return createOpensearchMetrics(config, parts);
    case 'cloudwatch':
      return createCloudwatchMetrics(config, parts);
    case 'datadog':
      return createDatadogMetrics(config, parts);
    case 'new-relic':
      return createNewRelicMetrics(config, parts);
    case 'http-json':
      return createHttpJsonMetrics({ ...config, paths: pathsOf(config.paths) }, parts);
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
