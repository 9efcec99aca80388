import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../src/lib/hash.ts';
import { type ArtifactSource, startArtifactSource } from './artifact-source.ts';
import { type EdgeEnd, type EdgeOptions, type EdgeProcess, jsonOf, startEdge } from './edge-process.ts';
import { freePort } from './free-port.ts';
import { installEdge } from './installed-edge.ts';
import { opened } from './opened.ts';
import { type Sshd, startSshdFleet } from './sshd.ts';
import { until } from './until.ts';

export type FanOutOptions = {
  readonly sshdPath: string;
  readonly network: string;
  readonly targets: number;
  readonly sizeBytes: number;
};

export type FannedOut = {
  /** How often workers began to read the artifact from its first byte. */
  readonly pulls: number;
  /** Whether the second worker went on behind a byte that the first had brought. */
  readonly resumed: boolean;
  readonly digestsRight: boolean;
  readonly serverPeakMb: number;
  /** Of all worker processes. */
  readonly workerPeakMb: number;
};

export const NAME = 'big.bin';
const POOL = 'far';
const PATIENCE_MS = 300_000;

/**
 * A large artifact, from its source over one worker to many real hosts, the worker in a process and a data folder of its own: killed in
 * the middle of the pull, and started again. All with the programs as people install them.
 */
export const fanOut = (options: FanOutOptions): Promise<FannedOut> =>
  opened(async (ends) => {
    const world = await open(options, ends);
    try {
      return await run(world, options);
    } finally {
      await ends.disposeAsync();
    }
  });

type World = {
  readonly source: ArtifactSource;
  readonly hosts: readonly Sshd[];
  readonly folder: string;
  readonly digest: string;
  readonly server: EdgeProcess;
  readonly cli: (...words: readonly string[]) => Promise<EdgeEnd>;
  readonly startWorker: () => Promise<EdgeProcess>;
};

async function open(options: FanOutOptions, ends: AsyncDisposableStack): Promise<World> {
  const { sshdPath, network, targets, sizeBytes } = options;
  const fleet = ends.adopt(await startSshdFleet({ sshdPath, network, count: targets }), (each) =>
    each.stop(),
  );
  const { folder, hosts } = fleet;
  const source = ends.adopt(await startArtifactSource(), (each) => each.close());
  const bytes = randomBytes(sizeBytes);
  source.files.set(`/${NAME}`, bytes);
  const program = await installEdge(join(folder, 'installed'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const data = join(folder, 'server');
  await mkdir(data, { mode: 0o700 });
  const listen = ['--listen', url.slice('http://'.length), '--data', data];
  const server = await started(['server', '--no-worker', ...listen], ends, { program });
  const token = (await readFile(join(data, 'token'), 'utf8')).trim();
  const env = { EDGE_SERVER: url, EDGE_TOKEN: token };
  const cli = async (...words: readonly string[]): Promise<EdgeEnd> => {
    const end = await startEdge(words, { program, env }).ended;
    if (end.status === 0) return end;
    throw new Error(`edge ${words.join(' ')} ended with ${end.status}: ${end.stdout}${end.stderr}`);
  };
  await writeFile(join(folder, 'estate.yaml'), configurationOf(hosts));
  await cli('apply', '-f', join(folder, 'estate.yaml'));
  const made = jsonOf(await cli('token', 'create', 'worker', '--role', 'worker', '--pool', POOL, '--json'));
  const own = { EDGE_SERVER: url, EDGE_TOKEN: String((made as { secret: string }).secret) };
  const worker = ['worker', '--pool', POOL, '--data', join(folder, 'worker')];
  const startWorker = () => started(worker, ends, { program, env: own });
  return { source, hosts, folder, digest: sha256(bytes), server, cli, startWorker };
}

/** Resolves once it has said that it runs. */
async function started(
  words: readonly string[],
  ends: AsyncDisposableStack,
  options: EdgeOptions,
): Promise<EdgeProcess> {
  const running = startEdge(words, options);
  ends.defer(async () => {
    running.signal('SIGTERM');
    await running.ended;
  });
  await until('it runs', () => /serves|works/.test(running.stdout()), PATIENCE_MS);
  return running;
}

async function run(world: World, { sizeBytes }: FanOutOptions): Promise<FannedOut> {
  const { source, folder, digest, cli, startWorker, server } = world;
  const artifact = `{ name: ${NAME}, url: "${source.url}/${NAME}" }`;
  await writeFile(
    join(folder, 'release.yaml'),
    `{ kind: release, project: app, version: v1, artifacts: [${artifact}] }`,
  );
  await cli('releases', 'create', join(folder, 'release.yaml'));
  const asked = source.asked.length;

  source.holdAfter = Math.floor(sizeBytes / 2);
  const first = await startWorker();
  const deployment = cli('deploy', 'app', 'dc', 'v1', '--yes', '--json');
  deployment.catch(() => {});
  const part = join(folder, 'worker/artifacts/owners');
  await until('a part of it is there', async () => (await partBytes(part)) >= sizeBytes / 4, PATIENCE_MS);
  const firstPeakMb = peakMb(first.pid);
  first.signal('SIGKILL');
  await first.ended;
  source.release();

  const second = await startWorker();
  await deployment;
  const ofWorkers = source.asked.slice(asked);
  const right = await Promise.all(world.hosts.map(async ({ home }) => (await digestAt(home)) === digest));
  return {
    pulls: ofWorkers.filter(({ from }) => from === 0).length,
    resumed: ofWorkers.some(({ from }) => from > 0),
    digestsRight: right.every(Boolean),
    serverPeakMb: peakMb(server.pid),
    workerPeakMb: Math.max(firstPeakMb, peakMb(second.pid)),
  };
}

/** 0 where nothing is, or what was there a moment ago has moved on. */
async function partBytes(owners: string): Promise<number> {
  try {
    for (const owner of await readdir(owners))
      for (const file of await readdir(join(owners, owner, 'parts')))
        return (await stat(join(owners, owner, 'parts', file))).size;
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) throw thrown;
  }
  return 0;
}

/** Of the file on the host, which makes room: twenty of half a gigabyte are much for one machine. */
async function digestAt(home: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(join(home, 'app/current', NAME))) hash.update(piece);
  await rm(join(home, 'app'), { recursive: true });
  return hash.digest('hex');
}

/** The most memory that a process has had, as the kernel has counted it. */
function peakMb(pid: number): number {
  const [, kb] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kb) / 1_024);
}

function configurationOf(hosts: readonly Sshd[]): string {
  const [{ user, identityFile } = { user: '', identityFile: '' }] = hosts;
  const nothing = (what: string): string => `[sh, -c, ": ${what}"]`;
  return `kind: project
name: app
folder: ~/app
commands: { start: ${nothing('start')}, stop: ${nothing('stop')} }
timeouts: { installMs: 3600000 }
---
kind: environment
name: dc
ssh: { user: ${user}, identityFile: ${identityFile} }
zones: [{ name: dc, pool: ${POOL} }]
---
kind: project-environment
project: app
environment: dc
strategy: { canary: 0, batches: "100%", parallel: ${hosts.length}, settleMs: 0 }
targets:
${hosts
  .map(
    ({ address, port, fingerprint }, n) =>
      `  - { name: web-${n + 1}, address: ${address}, sshPort: ${port}, hostKey: "${fingerprint}" }`,
  )
  .join('\n')}
`;
}
