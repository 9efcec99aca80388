import { execFile } from 'node:child_process';
import { homedir, userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { EdgeError } from '../../domain/errors.ts';
import type { HostAddress, JumpHost } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';

const run = promisify(execFile);
const LIMIT_MS = 15_000;

/**
 * The host as its file of configuration says, which `ssh -G` reads: with Include, Match and all. What is said of the host
 * itself goes before. Read at each connect, so that a change counts at once.
 */
export async function readSshConfig(host: HostAddress): Promise<HostAddress> {
  const { config, address, port, user } = host;
  if (config === undefined) return host;
  if (address.startsWith('-')) throw fault(host, `${JSON.stringify(address)} is not the address of a host`);
  const given = [
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', user]),
  ];
  const words = ['-T', '-F', config, '-G', ...given, '--', address];
  const { stdout } = await run('ssh', words, { timeout: LIMIT_MS }).catch((cause) => {
    throw fault(host, String(cause.stderr || cause.message).trim(), cause);
  });
  return withSettings(host, stdout, { home: homedir(), user: userInfo().username });
}

/** Of the account that Edge runs as. */
type Local = { readonly home: string; readonly user: string };

/** `printed` is what `ssh -G` prints: a setting a line, its name in lower case; one that was given several times, several lines. */
export function withSettings(host: HostAddress, printed: string, local: Local): HostAddress {
  const lines = printed
    .split('\n')
    .map((line) => [line.split(' ', 1).join(), line.replace(/^\S+ ?/, '')] as const);
  const all = (name: string) => lines.filter(([key]) => key === name).map(([, value]) => value);
  const one = (name: string) => all(name).find((value) => value !== '' && value !== 'none');
  if (one('proxycommand') !== undefined)
    throw fault(host, 'it has a ProxyCommand, which the library cannot run; `transport: openssh` can');
  const reached = {
    address: one('hostname') ?? host.address,
    port: Number(one('port') ?? host.port ?? 22),
    user: one('user') ?? host.user ?? local.user,
  };
  const tokens = { '%': '%', d: local.home, u: local.user, n: host.address };
  const names = { ...tokens, h: reached.address, p: String(reached.port), r: reached.user };
  const path = (text: string) => expanded(text, local.home, names);
  const keys = [...all('userknownhostsfile'), ...all('globalknownhostsfile')];
  const agent = one('identityagent');
  const jump = one('proxyjump');
  return {
    ...host,
    ...reached,
    ...(host.identityFile === undefined && { identityFile: all('identityfile').map(path) }),
    ...(host.agent === undefined &&
      agent !== undefined && { agent: agent === 'SSH_AUTH_SOCK' || path(agent) }),
    ...('config' in host.hostKey && {
      hostKey: {
        knownHosts: keys
          .flatMap((line) => line.split(/\s+/))
          .filter((file) => file !== '')
          .map(path),
      },
    }),
    ...(host.jump === undefined && jump !== undefined && { jump: jump.split(',').map(hopOf) }),
  };
}

/** A jump host is read from the file as well, by the name that it has there. */
function hopOf(text: string): JumpHost {
  const [, user, address = '', port] = /^(?:ssh:\/\/)?(?:(.*)@)?(.*?)(?::([0-9]+))?$/.exec(text.trim()) ?? [];
  return {
    address: address.replace(/^\[|\]$/g, ''),
    ...(port && { port: Number(port) }),
    ...(user && { user }),
    hostKey: { config: true },
  };
}

/** `ssh -G` leaves these to be put in: `~`, and the tokens that paths of files may have. */
function expanded(path: string, home: string, names: Readonly<Record<string, string>>): string {
  return path.replace(/^~(?=\/)/, home).replace(/%(.)/g, (token, letter: string) => names[letter] ?? token);
}

function fault(host: HostAddress, why: string, cause?: unknown): EdgeError {
  return hostError('host_unfit', host, `: what ${host.config} says of it cannot be used: ${why}`, {
    hint: 'See to that file on the machine of the worker, or say in the environment how the host is reached.',
    cause,
  });
}
