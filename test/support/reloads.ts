import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startLoad } from '../../src/lab/load.ts';
import { edge } from './edge-process.ts';
import { expectDone, startEdgeServer } from './estate.ts';
import { type Haproxy, startHaproxy } from './haproxy.ts';
import { type MemberServer, startMemberServer } from './member-server.ts';
import { serversOf } from './observer.ts';
import { type Sshd, startSshdFleet } from './sshd.ts';
import { until } from './until.ts';

export type ReloadOptions = {
  readonly sshdPath: string;
  readonly haproxyPath: string;
  /** First three numbers of the addresses of the hosts. */
  readonly network: string;
  readonly reloads: number;
  /** With a state file of HAProxy. */
  readonly keepsState?: boolean;
  /** With a gate on the hosts, and what of the application it closes. */
  readonly gate?: 'page' | 'port';
};

/** What came of one reload in mid-deployment. */
export type Reloaded = {
  /** Members that Edge held out of service then. */
  readonly held: number;
  /** From the first answer of the new HAProxy until it had all of them out of service again. */
  readonly backOutMs: number;
  /** Requests that reached them in that time. */
  readonly requests: number;
  /** Requests that reached them once they were out again. */
  readonly late: number;
};

const POOL = 'web';
const MEMBERS = 4;
/** Reloads while the same members are held. */
const RELOADS_PER_BATCH = 3;
const LOOK_MS = 20;
const PATIENCE_MS = 60_000;
const RATE = 200;

/**
 * Deploys to members whose application is never stopped, under load, and reloads the HAProxy before them again and again while
 * some are drained: whatever reaches those was let through.
 */
export async function reloadInMidDeployment(options: ReloadOptions): Promise<readonly Reloaded[]> {
  const ends = new AsyncDisposableStack();
  try {
    const { sshdPath, network } = options;
    const fleet = await startSshdFleet({ sshdPath, network, count: MEMBERS });
    ends.defer(fleet.stop);
    const names = Array.from({ length: MEMBERS }, (_, n) => `web-${n + 1}`);
    const members = await Promise.all(names.map((name) => startMemberServer(name)));
    for (const member of members) ends.defer(member.kill);
    const targets = fleet.hosts.flatMap((host, n): Target[] => {
      const member = members[n];
      return member ? [{ member, files: filesOf(host) }] : [];
    });
    for (const { member, files } of targets)
      if (options.gate) member.gate = { file: files.GATE, closes: options.gate };
    const haproxy = await haproxyFor(members, options);
    ends.defer(haproxy.stop);
    const dataFolder = join(fleet.folder, 'data');
    const server = await startEdgeServer({ dataFolder });
    ends.defer(async () => {
      server.signal('SIGTERM');
      await server.ended;
    });
    const file = join(fleet.folder, 'reloads.yaml');
    await writeFile(file, configuration(fleet.hosts, haproxy, options));
    const run = async (...words: readonly string[]) => expectDone(await edge(words, { dataFolder }));
    await run('apply', '-f', file, '--json');
    await run('releases', 'create', 'shop', 'v1', '-a', `app=${file}`, '--json');
    const load = startLoad({ url: haproxy.url(POOL), ratePerS: RATE });
    ends.defer(async () => void (await load.stop()));
    return await reloaded({ ...options, haproxy, targets, deploy: () => run(...DEPLOY) });
  } finally {
    await ends.disposeAsync();
  }
}

const DEPLOY = ['deploy', 'shop', 'dc', 'v1', '--force', '--yes', '--json'] as const;

function haproxyFor(members: readonly MemberServer[], options: ReloadOptions): Promise<Haproxy> {
  const servers = members.map(({ name, port }) => ({ name, address: '127.0.0.1', port }));
  const { haproxyPath, keepsState = false } = options;
  return startHaproxy({ path: haproxyPath, backends: { [POOL]: servers }, keepsState });
}

/** Nothing stops the application: what is told to start says so, and waits for the word to go on. */
const START = 'touch "$HELD"; until [ -e "$GO" ]; do sleep 0.2; done; rm -f "$HELD"';

const configuration = (
  hosts: readonly Sshd[],
  { socket }: Haproxy,
  { gate }: ReloadOptions,
): string => `kind: project
name: shop
folder: /tmp
commands: { stop: ['true'], install: ['true'], start: [sh, -c, '${START}'] }
timeouts: { startMs: 600000 }
${gate ? `gate: { close: [sh, -c, 'touch "$GATE"'], open: [sh, -c, 'rm -f "$GATE"'] }` : ''}
health: { check: { kind: command, argv: ['true'], timeoutMs: 20000 }, passes: 1, intervalMs: 100 }
---
kind: environment
name: dc
ssh: { user: ${hosts[0]?.user}, identityFile: ${hosts[0]?.identityFile} }
balancers: { front: { kind: haproxy, socket: ${socket} } }
policy: { minInService: 2 }
---
kind: project-environment
project: shop
environment: dc
strategy: { canary: 0, batches: 2, settleMs: 0, others: false }
targets:
${hosts.map(targetLine).join('\n')}
`;

const targetLine = (host: Sshd, n: number): string => {
  const { address, port, fingerprint } = host;
  const files = Object.entries(filesOf(host)).map(([name, file]) => `${name}: ${file}`);
  const env = files.join(', ');
  const place = `address: ${address}, sshPort: ${port}, hostKey: '${fingerprint}'`;
  return `  - { name: t-${n + 1}, ${place}, member: ${POOL}/web-${n + 1}, env: { ${env} } }`;
};

const filesOf = ({ home }: Sshd) => ({
  GATE: join(home, 'gate-closed'),
  HELD: join(home, 'held'),
  GO: join(home, 'go-on'),
});

/** A host with its application. */
type Target = { readonly member: MemberServer; readonly files: ReturnType<typeof filesOf> };

type Scene = ReloadOptions & {
  readonly haproxy: Haproxy;
  readonly targets: readonly Target[];
  readonly deploy: () => Promise<unknown>;
};

async function reloaded(scene: Scene): Promise<readonly Reloaded[]> {
  const seen: Reloaded[] = [];
  while (seen.length < scene.reloads) {
    const over = new AbortController();
    const deployment = scene.deploy().finally(() => over.abort());
    deployment.catch(() => undefined); // told below
    try {
      while (!over.signal.aborted) {
        const held = scene.targets.filter(isHeld);
        const wanted = Math.min(RELOADS_PER_BATCH, scene.reloads - seen.length);
        if (held.length > 0)
          for (let n = 0; n < wanted; n += 1) seen.push(await reloadOnce(scene, held.map(memberOf)));
        for (const { files } of held) await writeFile(files.GO, '');
        await wait(LOOK_MS);
      }
    } finally {
      await deployment;
    }
    for (const { files } of scene.targets) await rm(files.GO, { force: true });
  }
  return seen;
}

const memberOf = ({ member }: Target): MemberServer => member;

/** It is drained, and its application is neither stopped nor verified. */
const isHeld = ({ files }: Target): boolean => existsSync(files.HELD) && !existsSync(files.GO);

const outOf = async ({ haproxy }: Scene): Promise<ReadonlySet<string>> =>
  new Set(
    [...(await serversOf(haproxy.socket, POOL))].flatMap(([name, { adminState }]) =>
      adminState > 0 ? [name] : [],
    ),
  );

const requestsOf = (members: readonly MemberServer[]): number =>
  members.reduce((sum, { requests }) => sum + requests, 0);

async function reloadOnce(scene: Scene, held: readonly MemberServer[]): Promise<Reloaded> {
  const before = requestsOf(held);
  await scene.haproxy.reload();
  const beganMs = performance.now();
  await until(
    'what Edge holds is out of service again',
    async () => {
      const out = await outOf(scene);
      return held.every(({ name }) => out.has(name));
    },
    PATIENCE_MS,
  );
  const backOutMs = performance.now() - beganMs;
  await wait(100); // what was on its way
  const atOnce = requestsOf(held);
  await wait(300);
  return { held: held.length, backOutMs, requests: atOnce - before, late: requestsOf(held) - atOnce };
}
