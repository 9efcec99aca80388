import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tarGz } from '../src/lab/tar-gz.ts';
import { sha256 } from '../src/lib/hash.ts';
import { freePort } from '../test/support/free-port.ts';
import { type Haproxy, startHaproxy } from '../test/support/haproxy.ts';
import { killProcessesWith } from '../test/support/processes.ts';
import { type Sshd, type SshdFleet, startSshdFleet } from '../test/support/sshd.ts';

export const POOL = 'web';
/** How a rollout goes, the same for all contestants. */
export const COURSE = { batch: 10, passes: 2, intervalMs: 100, artifactBytes: 1_000_000 } as const;

export type Target = {
  readonly name: string;
  readonly address: string;
  readonly sshPort: number;
  readonly port: number;
  readonly home: string;
};
export type Artifact = { readonly version: string; readonly path: string; readonly sha256: string };

/** What a contestant is told: a file, so that each is a process of its own. */
export type Estate = {
  readonly folder: string;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHosts: string;
  readonly socket: string;
  readonly targets: readonly Target[];
  readonly artifacts: readonly Artifact[];
};

export type RolloutWorld = { readonly estate: Estate; stop(): Promise<void> };

export type WorldOptions = {
  readonly hosts: number;
  readonly versions: readonly string[];
  readonly sshdPath: string;
  readonly haproxyPath: string;
  readonly nginxPath: string;
};

/** Real sshd hosts with a small application behind a real HAProxy; no version is installed yet. */
export async function openWorld(options: WorldOptions): Promise<RolloutWorld> {
  const fleet = await startSshdFleet({ ...options, network: '127.90.1', count: options.hosts });
  const ends = [fleet.stop, () => killProcessesWith(fleet.folder)];
  const stop = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    const targets = await Promise.all(fleet.hosts.map(targetOn));
    const haproxy = await haproxyFor(targets, options);
    ends.push(haproxy.stop);
    return { estate: await estateOf(fleet, haproxy, targets, options), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function targetOn(sshd: Sshd, index: number): Promise<Target> {
  const port = await freePort(sshd.address);
  await writeFile(join(sshd.home, 'app.env'), `ADDRESS=${sshd.address}\nPORT=${port}\n`);
  return { name: `web-${index + 1}`, address: sshd.address, sshPort: sshd.port, port, home: sshd.home };
}

function haproxyFor(targets: readonly Target[], { haproxyPath }: WorldOptions): Promise<Haproxy> {
  return startHaproxy({
    path: haproxyPath,
    backends: { [POOL]: targets.map(({ name, address, port }) => ({ name, address, port })) },
    ...{ checkMs: 200, fall: 3, until: 'listening' },
  });
}

async function estateOf(
  fleet: SshdFleet,
  { socket }: Haproxy,
  targets: readonly Target[],
  { versions, nginxPath }: WorldOptions,
): Promise<Estate> {
  const { folder, hosts } = fleet;
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(
    knownHosts,
    (await Promise.all(hosts.map((host) => readFile(host.knownHosts, 'utf8')))).join(''),
  );
  await mkdir(join(folder, 'releases'));
  const artifacts = await Promise.all(
    versions.map((version) => artifactOf(join(folder, 'releases'), version, nginxPath)),
  );
  const [first] = hosts;
  if (!first) throw new RangeError('a rollout needs hosts');
  const { user, identityFile } = first;
  return { folder, user, identityFile, knownHosts, socket, targets, artifacts };
}

/**
 * An nginx in one process: it starts at once, and looks at its health cost the hosts next to nothing. A web server that forks for each of
 * 500 looks a second would take half of the machine from every contestant.
 */
async function artifactOf(folder: string, version: string, nginx: string): Promise<Artifact> {
  const file = (path: string, mode: number, text: string) => ({ path, mode, data: Buffer.from(text) });
  const body = tarGz([
    file('bin/start', 0o755, startScript(nginx)),
    file('bin/stop', 0o755, STOP),
    file('nginx.conf.in', 0o644, applicationOf(version)),
    { path: 'payload', mode: 0o644, data: randomBytes(COURSE.artifactBytes) },
  ]);
  const path = join(folder, `app-${version}.tar.gz`);
  await writeFile(path, body);
  return { version, path, sha256: sha256(body) };
}

const startScript = (nginx: string): string => `#!/bin/sh
set -eu
. "$HOME/app.env"
release=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
sed "s|@LISTEN@|$ADDRESS:$PORT|; s|@HOME@|$HOME|g" "$release/nginx.conf.in" >"$release/nginx.conf"
setsid ${nginx} -c "$release/nginx.conf" </dev/null >/dev/null 2>&1 &
echo $! >"$HOME/app.pid"
`;

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const applicationOf = (version: string): string => `daemon off;
master_process off;
pid @HOME@/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
${TEMPORARY.map((kind) => `  ${kind}_temp_path @HOME@/app.tmp;\n`).join('')}  server {
    listen @LISTEN@;
    default_type application/json;
    return 200 '{"version":"${version}"}';
  }
}
`;

/** One that has ended counts as such even where whoever inherited it is slow to take note: the init of some containers is. */
const STOP = `#!/bin/sh
set -u
pid=$(cat "$HOME/app.pid" 2>/dev/null) || exit 0
kill -TERM "$pid" 2>/dev/null || exit 0
while read -r _ _ state _ <"/proc/$pid/stat" && [ "$state" != Z ]; do sleep 0.02; done 2>/dev/null
`;
