import type { Lab } from '../../src/lab/lab.ts';
import type { Sshd } from './sshd.ts';

export type DocumentsFor = {
  readonly lab: Lab;
  readonly balancerUrl: string;
  /** Where nothing listens. */
  readonly stoppedUrl: string;
  readonly passwordFile: string;
  readonly wrongPasswordFile: string;
  /** A source of metrics, as an environment names one. */
  readonly metrics: object;
  /** A host that is well and one that is unfit; none where there is no sshd. */
  readonly real: readonly Sshd[];
};

/** The configuration of the estate: one good environment `lab`, and others of which each has one thing wrong. */
export function errorDocuments(world: DocumentsFor): readonly object[] {
  return [...projects(), TELL, ...environments(world), ...placed(world), ...realHosts(world)];
}

const NOTHING = ['true'];
const QUICK = { install: NOTHING, start: NOTHING, stop: NOTHING };

/** What their commands do is what a deployment of them meets. */
function projects(): readonly object[] {
  const project = (name: string, fields: object) => ({ kind: 'project', name, folder: '/tmp', ...fields });
  const command = (argv: readonly string[]) => ({ check: { kind: 'command', argv } });
  return [
    project('shop', { commands: QUICK }),
    project('slow', {
      commands: { ...QUICK, start: ['sleep', '300'] },
      timeouts: { startMs: 400_000, graceMs: 100 },
    }),
    project('broken', {
      commands: { ...QUICK, start: ['sh', '-c', 'echo port 80 is taken >&2; exit 3'] },
    }),
    project('sick', {
      commands: QUICK,
      health: { ...command(['false']), passes: 1, intervalMs: 50, windowMs: 200 },
    }),
    project('chatty', { commands: QUICK }),
    project('dark', { commands: { ...QUICK, stop: ['sleep', '1'] }, timeouts: { upMs: 300 } }),
    project('scripted', { commands: QUICK }),
    ...['worse', 'doubtful', 'silent'].map((name) =>
      project(name, { commands: QUICK, analysis: judgedBy(name) }),
    ),
    project('lost', { folder: '~/lost', commands: { start: NOTHING } }),
  ];
}

/** Three steps of a second. Whoever has requests and no series of failures has no failures: `silent` has neither. */
const judgedBy = (query: string): object => ({
  metrics: [{ name: 'errors', source: 'metrics', query, of: query === 'silent' ? query : 'requests' }],
  ...{ stepMs: 1_000, warmUpMs: 0, mostMs: 3_000, historyMs: 0, leastSteps: 3, staleSteps: 2 },
});

/** What each of two servers counts in a step, of the project whose canary is judged by it: of `silent` nothing. */
export const STEADY = {
  requests: { 'web-1': 100, 'web-2': 100 },
  worse: { 'web-1': 9, 'web-2': 0 },
  doubtful: { 'web-1': 2, 'web-2': 0 },
} as const;

function environments({
  lab,
  balancerUrl,
  stoppedUrl,
  passwordFile,
  wrongPasswordFile,
  metrics,
}: DocumentsFor): readonly object[] {
  const { identityFile, knownHosts } = lab;
  const [host] = lab.hosts;
  const f5 = {
    kind: 'f5',
    url: balancerUrl,
    username: 'edge',
    password: { source: 'file', name: passwordFile },
    tls: 'none',
  };
  const policy = { minInService: 0, onFailure: { health: 'abort', other: 'abort' } };
  const environment = (name: string, balancer: object, more: object = {}) => ({
    ...{ kind: 'environment', name, ssh: { user: host?.user, identityFile, knownHosts }, policy },
    ...{ balancers: { f5: { ...f5, ...balancer } }, ...more },
  });
  const onFailure = { ...policy.onFailure, canary: 'abort', unsure: 'abort', noData: 'abort' };
  return [
    environment('lab', {}),
    environment('measured', {}, { policy: { ...policy, onFailure }, metrics: { metrics } }),
    environment('fresh', {}),
    environment('strict', {}, { policy: { minInService: '100%' } }),
    environment('stopped', { url: stoppedUrl }),
    environment('locked-out', { password: { source: 'file', name: wrongPasswordFile } }),
    environment('secretless', { password: { source: 'env', name: 'EDGE_TEST_F5_PASSWORD' } }),
    environment('misnamed', {}),
    environment('guarded', {}, { policy: { ...policy, approvals: { count: 1 } } }),
    environment('later', {}, { policy: { ...policy, after: ['fresh'] } }),
    environment('restricted', {}, { commands: { deny: [['sh', '-c', '...']] } }),
  ];
}

/** Declares more than it gives. */
const TELL = {
  ...{ kind: 'script', name: 'tell', content: '#!/bin/sh\necho told\n' },
  outputs: { rows: { type: 'integer' } },
};
const SCRIPTED = {
  steps: {
    datacenter: [
      ...['guard', 'drain', 'stop', 'install', 'start', { id: 'tell', script: 'tell' }],
      ...['verify', 'enable'],
    ],
  },
};

const QUIET = { canary: 0, batches: ['100%'], settleMs: 0 };

function placed({ lab }: DocumentsFor): readonly object[] {
  const at = (index: number) => {
    const host = lab.hosts[index];
    return { name: host?.name, address: host?.address, sshPort: host?.port };
  };
  const place = (project: string, environment: string, target: object, strategy: object = QUIET) => ({
    ...{ kind: 'project-environment', project, environment, strategy, targets: [target] },
  });
  const judged = (project: string) => ({
    ...place(project, 'measured', at(0), { ...QUIET, canary: 1 }),
    targets: [at(0), at(1)],
  });
  const behind = ['strict', 'stopped', 'locked-out', 'secretless'];
  return [
    place('shop', 'lab', at(0)),
    place('shop', 'fresh', at(0)),
    place('shop', 'guarded', at(0)),
    place('shop', 'later', at(0)),
    ...behind.map((environment) => place('shop', environment, { ...at(0), member: 'web/web-1:80' })),
    { ...place('shop', 'restricted', at(0)), overrides: { commands: { stop: ['sh', '-c', 'true'] } } },
    ...['worse', 'doubtful', 'silent'].map(judged),
    place('scripted', 'lab', at(0), { ...QUIET, ...SCRIPTED }),
    place('shop', 'misnamed', { ...at(0), member: 'web/web-9:80' }),
    ...['slow', 'broken', 'sick', 'lost'].map((project) => place(project, 'lab', at(1))),
    place(
      'chatty',
      'lab',
      { ...at(1), member: 'chatty/chatty-1:80' },
      // biome-ignore lint/suspicious/noThenProperty: the word of the strategy file
      { ...QUIET, drain: { timeoutMs: 200, then: 'stop' } },
    ),
    place('dark', 'lab', { ...at(1), member: 'dark/dark-1:80' }),
  ];
}

/** Environments in which logging in to a real sshd goes wrong, each in its own way. */
function realHosts({ lab, real: [well, unfit] }: DocumentsFor): readonly object[] {
  if (!well || !unfit) return [];
  const { user, identityFile, knownHosts } = well;
  const ways = {
    unreachable: { host: { ...well, port: 1 }, ssh: { knownHosts } },
    impostor: { host: well, ssh: {}, hostKey: unfit.fingerprint },
    stranger: { host: well, ssh: { knownHosts: unfit.knownHosts } },
    refused: { host: well, ssh: { knownHosts, identityFile: lab.identityFile } },
    unfit: { host: unfit, ssh: { knownHosts: unfit.knownHosts, identityFile: unfit.identityFile } },
  };
  return Object.entries(ways).flatMap(([name, { host, ssh, ...pinned }]) => [
    { kind: 'environment', name, ssh: { user, identityFile, ...ssh } },
    {
      ...{ kind: 'project-environment', project: 'shop', environment: name },
      targets: [{ name: 'db-1', address: host.address, sshPort: host.port, ...pinned }],
    },
  ]);
}
