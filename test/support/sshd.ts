import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One real OpenSSH server, with a host key and a HOME of its own: as a host among many on one machine. */
export type Sshd = {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  readonly knownHosts: string;
  /** Of the ed25519 key. */
  readonly fingerprint: string;
  readonly home: string;
  readonly logFile: string;
  /** From now on it shows another key of each type, as a host that was installed anew does. */
  changeKeys(): Promise<void>;
  /** Ends the server and its sessions; what sessions started in sessions of their own lives on. */
  stop(): Promise<void>;
  /** Kills the processes that serve the open connections, and not the server. */
  killSessions(): Promise<void>;
};

export type SshdFleet = {
  readonly hosts: readonly Sshd[];
  /** Whom commands on these hosts run as. */
  readonly account: { readonly uid: number; readonly gid: number };
  /** An account that `user` may become by sudo; `undefined` where the tests do not run as root. */
  readonly sudoUser: string | undefined;
  readonly folder: string;
  stop(): Promise<void>;
};

export type FleetOptions = {
  readonly count: number;
  readonly sshdPath: string;
  /** First three numbers of the addresses, so that suites that run at once do not meet. */
  readonly network: string;
  /** What `sh` and every helper is on these hosts; the machine's own if it is left out. */
  readonly shell?: 'bash' | 'busybox';
  /** More lines of sshd_config, before the others: the first one counts. */
  readonly config?: readonly string[];
  /** All listen on one port, each on its own address. */
  readonly samePort?: boolean;
};

const ACCOUNT = 'edge-test';
const SUDO_ACCOUNT = 'edge-app';

/** Starts real sshd processes. Whoever calls it stops the fleet; nothing of it is left then. */
export async function startSshdFleet(options: FleetOptions): Promise<SshdFleet> {
  const isRoot = userInfo().uid === 0;
  const account = isRoot
    ? await makeAccounts()
    : { name: userInfo().username, uid: userInfo().uid, gid: userInfo().gid };
  const folder = await mkdtemp(join(tmpdir(), 'edge-sshd-'));
  await chmod(folder, 0o711);
  if (isRoot) await mkdir('/run/sshd', { recursive: true });
  const identityFile = join(folder, 'identity');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'edge-test', '-f', identityFile]);
  const path = options.shell ? await makeShellFolder(folder, options.shell) : undefined;
  const hosts: Sshd[] = [];
  for (let n = 1; n <= options.count; n++) {
    const home = join(folder, `home-${n}`);
    await mkdir(home, { mode: 0o755 });
    await chown(home, account.uid, account.gid);
    const port = options.samePort ? hosts[0]?.port : undefined;
    hosts.push(
      await startSshd({ ...options, n, folder, home, user: account.name, identityFile, path, port }),
    );
  }
  return {
    hosts,
    account,
    sudoUser: isRoot ? SUDO_ACCOUNT : undefined,
    folder,
    stop: async () => {
      await Promise.all(hosts.map((host) => host.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Two plain accounts, made once and left: the next run finds them. `*` is a password that nothing matches. */
async function makeAccounts(): Promise<{ name: string; uid: number; gid: number }> {
  for (const name of [ACCOUNT, SUDO_ACCOUNT]) {
    const add = [
      '--no-create-home',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/bin/sh',
      '--password',
      '*',
      name,
    ];
    if (!(await exists(name)))
      await run('useradd', add).catch(async (error) => ((await exists(name)) ? undefined : raise(error)));
  }
  await mkdir('/etc/sudoers.d', { recursive: true });
  await allowSudo(`${ACCOUNT} ALL=(${SUDO_ACCOUNT}) NOPASSWD: ALL\n`);
  const ids = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, ACCOUNT])).stdout)),
  );
  return { name: ACCOUNT, uid: ids[0] ?? 0, gid: ids[1] ?? 0 };
}

/** Other suites run beside this one, so a rule that is there is never missing for a moment; sudo skips names with a dot. */
async function allowSudo(rule: string): Promise<void> {
  const file = '/etc/sudoers.d/edge-test';
  if ((await readFile(file, 'utf8').catch(() => '')) === rule) return;
  const written = `${file}.${randomUUID()}`;
  await writeFile(written, rule, { mode: 0o440 });
  await rename(written, file);
}

async function exists(account: string): Promise<boolean> {
  return run('id', [account]).then(
    () => true,
    () => false,
  );
}

function raise(error: unknown): never {
  throw error;
}

/** A PATH on which every program is busybox, or `sh` is bash: bash that is called `sh` keeps to POSIX. */
async function makeShellFolder(folder: string, shell: 'bash' | 'busybox'): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  if (shell === 'bash') {
    await symlink('/bin/bash', join(bin, 'sh'));
    return `${bin}:/usr/bin:/bin`;
  }
  const { stdout } = await run('busybox', ['--list']);
  for (const applet of stdout.split('\n').filter((name) => /^[a-z]/.test(name)))
    await symlink('/bin/busybox', join(bin, applet));
  return bin;
}

type Start = FleetOptions & {
  readonly n: number;
  readonly folder: string;
  readonly home: string;
  readonly user: string;
  readonly identityFile: string;
  readonly path: string | undefined;
  readonly port: number | undefined;
};

async function startSshd(start: Start): Promise<Sshd> {
  const address = `${start.network}.${start.n}`;
  const port = start.port ?? (await freePort(address));
  const base = join(start.folder, `sshd-${start.n}`);
  await makeHostKeys(base);
  await writeFile(`${base}.conf`, configOf(start, { address, port, base }));
  const keys = await Promise.all(['ed25519', 'ecdsa'].map((type) => readFile(`${base}-${type}.pub`, 'utf8')));
  await writeFile(`${base}.known_hosts`, keys.map((key) => `[${address}]:${port} ${key}`).join(''));
  const logFile = `${base}.log`;
  const child = spawn(start.sshdPath, ['-D', '-f', `${base}.conf`, '-E', logFile], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const pid = child.pid ?? raise(new Error('sshd did not start'));
  await untilLogged(logFile, LISTENS);
  const { stdout } = await run('ssh-keygen', ['-l', '-f', `${base}-ed25519.pub`]);
  return {
    address,
    port,
    user: start.user,
    identityFile: start.identityFile,
    knownHosts: `${base}.known_hosts`,
    fingerprint: stdout.split(' ')[1] ?? '',
    home: start.home,
    logFile,
    changeKeys: async () => {
      const begun = await linesOf(logFile, LISTENS);
      await makeHostKeys(base);
      child.kill('SIGHUP');
      await untilLogged(logFile, LISTENS, begun + 1);
    },
    killSessions: () => killAll(pid),
    stop: async () => {
      // Stopped first, so that no new session begins while its sessions are being ended.
      child.kill('SIGSTOP');
      await killAll(pid);
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function configOf(start: Start, at: { address: string; port: number; base: string }): string {
  const setEnv = [`HOME=${start.home}`, ...(start.path ? [`PATH=${start.path}`] : [])].join(' ');
  return [
    ...(start.config ?? []),
    `ListenAddress ${at.address}:${at.port}`,
    `HostKey ${at.base}-ed25519`,
    `HostKey ${at.base}-ecdsa`,
    `AuthorizedKeysFile ${start.identityFile}.pub`,
    `PidFile none`,
    `SetEnv ${setEnv}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'MaxStartups 1000:30:2000',
    'UseDNS no',
    '',
  ].join('\n');
}

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return typeof bound === 'object' && bound !== null ? bound.port : raise(new Error('no free port'));
}

const LISTENS = 'Server listening';

/** In place of those that are there. */
async function makeHostKeys(base: string): Promise<void> {
  for (const type of ['ed25519', 'ecdsa']) {
    await rm(`${base}-${type}`, { force: true });
    await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', `${base}-${type}`]);
  }
}

const linesOf = async (file: string, text: string): Promise<number> =>
  (await readFile(file, 'utf8').catch(() => '')).split(text).length - 1;

async function untilLogged(file: string, text: string, times = 1): Promise<void> {
  for (let round = 0; round < 200; round++) {
    if ((await linesOf(file, text)) >= times) return;
    await wait(25);
  }
  throw new Error(`sshd does not start: ${await readFile(file, 'utf8').catch(() => 'it wrote no log')}`);
}

/** Kills the children of a process and theirs, as long as they are in no session that a task made. */
async function killAll(parent: number): Promise<void> {
  for (const child of await childrenOf(parent)) {
    const name = await readFile(`/proc/${child}/comm`, 'utf8').catch(() => '');
    if (name.trim() !== 'sshd') continue;
    const inner = await childrenOf(child);
    for (const pid of [child, ...(await namedSshd(inner))]) kill(pid);
  }
}

async function namedSshd(pids: readonly number[]): Promise<number[]> {
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')));
  return pids.filter((_, i) => names[i]?.trim() === 'sshd');
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return pids.filter((_, i) => Number(stats[i]?.replace(/^.*\) /s, '').split(' ')[1]) === parent);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
