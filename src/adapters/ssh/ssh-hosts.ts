import { EdgeError } from '../../domain/errors.ts';
import { commandFault } from '../../lib/command-fault.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HostKeys } from '../../ports/host-keys.ts';
import type {
  HostAddress,
  HostFacts,
  HostIdentity,
  Hosts,
  RemoteStatus,
  RemoteTask,
} from '../../ports/hosts.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { cancelTask } from './cancel-task.ts';
import { runTask, type TaskDeps } from './detached-task.ts';
import { hostError, place } from './host-error.ts';
import { JumpHosts } from './jump-hosts.ts';
import { libraryTransport, showKeyByLibrary } from './library-connection.ts';
import { OpensshTransport } from './openssh-connection.ts';
import { type Backoff, ConnectionPool, POOL_DEFAULTS } from './pool.ts';
import { openScript, readHost, type Said, type ScriptRequest } from './script-channel.ts';
import { lookAtKey, type ShowKey } from './shown-key.ts';
import { differs, statusOf } from './task-status.ts';
import { askAgainIfLost, CONNECTION_TIMES, type Connect, type ConnectionTimes } from './transport.ts';
import { uploadFile } from './upload.ts';

export type SshHostsOptions = {
  readonly clock: Clock;
  /** From 0 up to 1; spreads retries. */
  readonly random: () => number;
  /** Left out: a host that needs a secret cannot be logged in to. */
  readonly secrets?: Secrets;
  /** SSH_AUTH_SOCK of this process, if it has one. */
  readonly agentSocket?: string;
  readonly maxConnections?: number;
  readonly maxConnecting?: number;
  readonly idleCloseMs?: number;
  readonly retry?: Backoff;
  readonly times?: ConnectionTimes;
  readonly reconnectForMs?: number;
};

export type SshHosts = Hosts & HostKeys & { close(): Promise<void> };

/** Short questions to a host end after this. */
const ASK_MS = 30_000;
const FORGET_LOT = 200;

/** The production adapter of `Hosts` and `HostKeys`, over ssh2 or the system's OpenSSH client. It owns its connections: `close` it. */
export function createSshHosts(options: SshHostsOptions): SshHosts {
  const { reconnectForMs = 60_000, clock, secrets, agentSocket, ...pooling } = options;
  const library = libraryTransport({ secrets, agentSocket });
  const openssh = new OpensshTransport();
  const connect: Connect = (host, how) =>
    (host.transport === 'openssh' ? openssh.connect : library)(host, how);
  const common = { ...POOL_DEFAULTS, ...pooling, clock, connect };
  const jumps = new JumpHosts(common);
  const pool = new ConnectionPool({ ...common, route: jumps.route });
  const show: ShowKey = (host, how) =>
    (host.transport === 'openssh' ? openssh.showKey : showKeyByLibrary)(host, how);
  const looking = { show, route: jumps.route, times: options.times ?? CONNECTION_TIMES };
  const deps: TaskDeps = { pool, clock, reconnectForMs };
  return {
    run: async (host, task, run) => runTask(deps, { host, task: checked(host, task), options: run }),
    status: async (host, task, expect) => statusTask(pool, host, { task: checked(host, task), expect }),
    cancel: async (host, task, graceMs) => cancelTask(deps, { host, task: checked(host, task), graceMs }),
    upload: (host, file, signal) => uploadFile(pool, { host, file, signal }),
    forget: (host, tasks) => forgetTasks(pool, host, tasks),
    facts: (host) => factsOf(pool, host),
    shownKey: (host) => lookAtKey(looking, host),
    close: () => {
      pool.close();
      jumps.close();
      return openssh.close();
    },
  };
}

function checked(host: HostAddress, task: RemoteTask): RemoteTask {
  const fault = commandFault(task);
  if (fault === undefined) return task;
  throw new EdgeError('request_invalid', `${place(host)}: the command cannot be run: ${fault}`);
}

/** What a script says between its `host` line and its end; for the short ones, that may be asked twice. */
function ask(
  pool: ConnectionPool,
  request: ScriptRequest,
  isLast: (said: Said) => boolean,
): Promise<{ identity: HostIdentity; said: readonly Said[] }> {
  return askAgainIfLost(() => askOnce(pool, request, isLast));
}

async function askOnce(
  pool: ConnectionPool,
  request: ScriptRequest,
  isLast: (said: Said) => boolean,
): Promise<{ identity: HostIdentity; said: readonly Said[] }> {
  const signal = AbortSignal.timeout(ASK_MS);
  const script = await openScript(pool, request, signal);
  script.discardOutput();
  try {
    const { identity } = await readHost(script, signal);
    const said: Said[] = [];
    do said.push(await script.expect(signal));
    while (!said.slice(-1).some(isLast));
    return { identity, said };
  } catch (error) {
    if (!signal.aborted) throw error;
    const why = `: no answer within ${ASK_MS / 1000} s`;
    throw hostError('host_unreachable', request.host, why, { cause: error });
  } finally {
    script.close();
  }
}

type StatusQuestion = { readonly task: RemoteTask; readonly expect: HostIdentity | undefined };

async function statusTask(
  pool: ConnectionPool,
  host: HostAddress,
  { task, expect }: StatusQuestion,
): Promise<RemoteStatus> {
  const request = { host, verb: 'status', id: task.id, args: [], sudoUser: task.sudoUser } as const;
  const { identity, said } = await ask(pool, request, () => true);
  const status = said[0] && statusOf(said[0], task);
  if (!status)
    throw new EdgeError('internal', `${place(host)} answered ${said[0]?.word} instead of a status`);
  return status.kind === 'none' ? (differs(expect, identity) ?? status) : status;
}

async function forgetTasks(
  pool: ConnectionPool,
  host: HostAddress,
  tasks: readonly RemoteTask[],
): Promise<void> {
  const bySudoUser = Map.groupBy(tasks, (task) => task.sudoUser);
  for (const [sudoUser, group] of bySudoUser) {
    const ids = group.map((task) => checked(host, task).id);
    for (let from = 0; from < ids.length; from += FORGET_LOT) {
      const args = ids.slice(from, from + FORGET_LOT);
      await ask(pool, { host, verb: 'forget', id: 'forget', args, sudoUser }, ({ word }) => word === 'done');
    }
  }
}

async function factsOf(pool: ConnectionPool, host: HostAddress): Promise<HostFacts> {
  const { identity, said } = await ask(
    pool,
    { host, verb: 'facts', id: 'facts', args: [] },
    ({ word }) => word === 'done',
  );
  const valuesOf = (word: string) =>
    said.filter((line) => line.word === word).map((line) => line.values.join(' '));
  return {
    identity,
    system: valuesOf('system').join(),
    missing: valuesOf('missing'),
    freeBytes: Number(valuesOf('free').join()) * 1024,
  };
}
