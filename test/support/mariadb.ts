import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

const run = promisify(execFile);

export type MariadbSettings = {
  /** The program, from `requireService('mariadb')`. */
  readonly path: string;
  /** An address of 127.0.0.0/8 of the caller's own. */
  readonly address?: string;
  /** More options of the server, such as `--log-bin`. */
  readonly options?: readonly string[];
};

/** A real MariaDB with a data folder of its own, which it keeps over `kill` and `start`. */
export type Mariadb = {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Where Edge finds a database of it; the password stands nowhere in it. */
  url(database: string, port?: number): string;
  /** Runs one statement as the administrator, in a client of its own. */
  sql(statement: string): Promise<string>;
  /** `kill -9`, or a gentler signal; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same folder, with these options or those that it had. */
  start(options?: readonly string[]): Promise<void>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
};

const USER = 'edge';
const STARTS_WITHIN_MS = 60_000;

/** Starts MariaDB with the defaults of its makers, save small buffers: nothing of it is tuned for the tests. */
export async function startMariadb({
  path,
  address = '127.0.0.1',
  options = [],
}: MariadbSettings): Promise<Mariadb> {
  const folder = mkdtempSync(join(roomyFolder(), 'edge-mariadb-'));
  const [data, socket, init] = ['data', 'sock', 'init.sql'].map((name) => join(folder, name));
  const owner = `--user=${userInfo().username}`;
  const password = randomBytes(12).toString('hex');
  await run('mariadb-install-db', [
    '--no-defaults',
    `--datadir=${data}`,
    owner,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]);
  writeFileSync(
    init ?? '',
    `CREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY '${password}';\nGRANT ALL ON *.* TO '${USER}'@'%';\n`,
  );
  const port = await freePort(address);
  const common = [
    '--no-defaults',
    owner,
    `--datadir=${data}`,
    `--socket=${socket}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--init-file=${init}`,
    `--bind-address=${address}`,
    `--port=${port}`,
    '--skip-name-resolve',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=32M',
    '--max-connections=300',
  ];
  let child: ChildProcess | undefined;
  let started = options;
  const start = async (own = started): Promise<void> => {
    started = own;
    child = await startServer(path, [...common, ...own], { address, port });
  };
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (child && child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    child = undefined;
  };
  const stop = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    address,
    port,
    user: USER,
    password,
    url: (database, other = port) => `mysql://${USER}@${address}:${other}/${database}`,
    sql: async (statement) => {
      const args = ['--no-defaults', `--socket=${socket}`, '--user=root', '-N', '-B', '-e', statement];
      return (await run('mariadb', args)).stdout;
    },
    kill,
    start,
    stop,
  };
}

/**
 * Memory where there is enough: what a killed process has written is there too, and every durable write costs a tenth. Only a
 * power cut would tell the difference.
 */
function roomyFolder(): string {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize > 2 ** 30 ? MEMORY : tmpdir();
}

const MEMORY = '/dev/shm';

type Place = { readonly address: string; readonly port: number };

async function startServer(path: string, args: readonly string[], place: Place): Promise<ChildProcess> {
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data) => {
    log = `${log}${data}`.slice(-4_000);
  });
  await until(
    'MariaDB answers',
    async () => {
      if (child.exitCode !== null) throw new Error(`MariaDB ended: ${log}`);
      return await greets(place);
    },
    STARTS_WITHIN_MS,
  );
  return child;
}

/** A server that is ready sends the first packet of the handshake by itself. */
async function greets({ address, port }: Place): Promise<boolean> {
  const socket = connect({ host: address, port });
  try {
    await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => Promise.reject())]);
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
