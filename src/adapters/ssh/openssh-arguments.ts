import { EdgeError } from '../../domain/errors.ts';
import { shellQuote, shellQuoteAll } from '../../lib/shell-quote.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';
import { listOf } from './host-key.ts';
import type { ConnectionTimes } from './transport.ts';

/** How long a master without Edge lives: as long as a process of Edge that was killed may leave something behind. */
const PERSIST_SECONDS = 10;

/**
 * Of the machine's own settings those hold that say how to log in and whom to trust. What Edge relies on stands here, and the
 * first word counts: no question is ever asked, no unknown key taken, nothing forwarded, nothing run here.
 */
const ALWAYS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'NoHostAuthenticationForLocalhost=no',
  'CheckHostIP=no',
  'UpdateHostKeys=no',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'Tunnel=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'LogLevel=ERROR',
] as const;

export type LookOptions = {
  readonly times: ConnectionTimes;
  /** The command that carries the connection, if it goes through another host. */
  readonly jump: string | undefined;
};
export type MasterOptions = LookOptions & { readonly socketPath: string };

/** Arguments of the `ssh` that connects, logs in, and goes to the background as the master of a connection. */
export function masterArguments(host: HostAddress, { times, socketPath, jump }: MasterOptions): string[] {
  return [
    ...connecting({ times, jump }, [
      'ControlMaster=yes',
      `ControlPath=${quoted(socketPath)}`,
      `ControlPersist=${PERSIST_SECONDS}`,
      `ServerAliveInterval=${seconds(times.keepaliveMs)}`,
      `ServerAliveCountMax=${times.keepaliveCount}`,
      ...hostKeyOptions(host),
    ]),
    ...options(loginOptions(host)),
    ...destination(host),
  ];
}

/** Arguments of the `ssh` that looks which key a host shows. It says it, judges it, and has nothing to log in with. */
export function lookArguments(host: HostAddress, look: LookOptions): string[] {
  return [
    ...connecting(look, [
      'ControlMaster=no',
      'ControlPath=none',
      'PreferredAuthentications=none',
      ...('fingerprint' in host.hostKey ? NO_KNOWN_HOSTS : hostKeyOptions(host)),
      `KnownHostsCommand=/bin/sh -c "${SHOW}" edge %f %t`,
    ]),
    ...destination(host),
  ];
}

const connecting = ({ times, jump }: LookOptions, more: readonly string[]): readonly string[] => [
  '-N',
  ...options([
    ...ALWAYS,
    `ConnectTimeout=${seconds(times.connectMs)}`,
    ...(jump === undefined ? [] : [`ProxyCommand=${jump}`]),
    ...more,
  ]),
];

const seconds = (ms: number) => String(Math.max(1, Math.ceil(ms / 1000)));

const destination = (host: HostAddress): readonly string[] => [
  ...(host.config === undefined ? [] : ['-F', host.config]),
  ...(host.port === undefined ? [] : ['-p', String(host.port)]),
  ...(host.user === undefined ? [] : ['-l', host.user]),
  ...['--', addressOf(host)],
];

/** Arguments of an `ssh` that asks a master for something. Without its master it ends, and connects to nobody by itself. */
export function clientArguments(host: HostAddress, socket: string, asked: readonly string[] = []): string[] {
  const alone = [
    'BatchMode=yes',
    'LogLevel=ERROR',
    'ControlMaster=no',
    'ProxyCommand=false',
    'EscapeChar=none',
  ];
  return [
    '-F',
    '/dev/null',
    '-T',
    ...options([...alone, `ControlPath=${quoted(socket)}`]),
    ...asked,
    '--',
    addressOf(host),
  ];
}

/**
 * The command by which `ssh` reaches another host through this one, over the master that is there. A shell reads it, after `ssh`
 * has put in that host; no `%` but those are its own.
 */
export function proxyCommand(jump: HostAddress, socket: string): string {
  const [end, address] = ['--', addressOf(jump)];
  const words = clientArguments(jump, socket).slice(0, -2);
  return `ssh ${shellQuoteAll(words).replaceAll('%', '%%')} -W '[%h]:%p' ${end} ${shellQuote(address)}`;
}

const options = (words: readonly string[]): string[] => words.flatMap((word) => ['-o', word]);

/** What the environment does not say, the files of the machine do. */
function loginOptions({ identityFile, agent }: HostAddress): string[] {
  return [
    ...listOf(identityFile).map((file) => `IdentityFile=${quoted(file)}`),
    ...(identityFile === undefined ? [] : ['IdentitiesOnly=yes']),
    ...(agent === undefined ? [] : [`IdentityAgent=${agent === true ? 'SSH_AUTH_SOCK' : quoted(agent)}`]),
  ];
}

function hostKeyOptions({ hostKey }: HostAddress): string[] {
  if ('config' in hostKey) return [];
  if ('knownHosts' in hostKey) {
    const files = listOf(hostKey.knownHosts).map(quoted).join(' ');
    return [`UserKnownHostsFile=${files}`, 'GlobalKnownHostsFile=/dev/null'];
  }
  // OpenSSH pins no fingerprint; but it asks a command for the keys that it should trust, and tells it what the host has shown.
  return [
    ...NO_KNOWN_HOSTS,
    `KnownHostsCommand=/bin/sh -c "${PIN.replaceAll('%', '%%')}" edge ${pinned(hostKey.fingerprint)} %f %H %t %K`,
  ];
}

const NO_KNOWN_HOSTS = [
  'UserKnownHostsFile=/dev/null',
  'GlobalKnownHostsFile=/dev/null',
  // A certificate has the fingerprint of its key, and is none.
  'HostKeyAlgorithms=-*-cert-v01@openssh.com',
] as const;

/** Says which key was shown, and knows none. */
const SHOW = '[ $1 = NONE ] || echo @shown $1 $2 >&2';

/**
 * Prints the key that was shown as a line of known_hosts if it is the pinned one, and in any case which it was. `%f` is `NONE` as
 * long as none was shown. It stands in double quotes, which ssh takes off with their backslashes.
 */
const PIN = String.raw`[ $2 = NONE ] || echo @shown $2 >&2; [ $2 != $1 ] || printf '%s %s %s\\n' \"$3\" $4 $5`;

function pinned(fingerprint: string): string {
  const bare = fingerprint.replace(/=+$/, '');
  if (/^SHA256:[A-Za-z0-9+/]+$/.test(bare)) return bare;
  throw new EdgeError('request_invalid', `${JSON.stringify(fingerprint)} is not a fingerprint of a host key`);
}

/** As a value in ssh_config(5): one word, of which nothing is special. */
function quoted(path: string): string {
  if (/["\\\p{Cc}]/u.test(path) || path.includes('${'))
    throw new EdgeError('request_invalid', `${JSON.stringify(path)} is not a path that OpenSSH can be given`);
  return `"${path.replaceAll('%', '%%')}"`;
}

/** Behind `--` it could be no option, but what ssh starts by itself may be given it in other places. */
function addressOf(host: HostAddress): string {
  if (/^[A-Za-z0-9_.:][A-Za-z0-9_.:-]*$/.test(host.address)) return host.address;
  throw hostError('host_unreachable', host, `: ${JSON.stringify(host.address)} is not the address of a host`);
}
