import { z } from 'zod';
import type { DeepReadonly } from '../lib/types.ts';
import { localPathField, portField, secretRefField } from './fields.ts';

const WAYS_IN = ['identityFile', 'agent', 'password'] as const;

const HOP = String.raw`(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.][A-Za-z0-9_.-]*)(?::[1-9][0-9]{0,4})?`;
const JUMPS = new RegExp(String.raw`^${HOP}(?: *, *${HOP})*$`);

export type Hop = { readonly address: string; readonly port?: number; readonly user?: string };

/** The hosts of `ssh.jump`, in order. */
export function hopsOf(jump: string): readonly Hop[] {
  return jump.split(',').map((text) => {
    const [, user, address = '', port] = /^(?:(.*)@)?(.*?)(?::([0-9]+))?$/.exec(text.trim()) ?? [];
    return {
      address: address.replace(/^\[|\]$/g, ''),
      ...(port && { port: Number(port) }),
      ...(user && { user }),
    };
  });
}

/** How an environment logs in to its hosts. Files, variables and sockets are those of the machine of the worker. */
export const sshSchema = z
  .strictObject({
    user: z.string().min(1).exactOptional().describe('User of the SSH login; needed without `config`.'),
    port: portField.exactOptional().describe('Port of sshd; 22, if `config` does not say another.'),
    config: localPathField
      .exactOptional()
      .describe(
        'A file such as `~/.ssh/config`, on the machine of the worker, by its whole path. Its HostName, Port, User, IdentityFile, IdentityAgent, ProxyJump and UserKnownHostsFile hold where nothing else is said here or of the target.',
      ),
    identityFile: localPathField
      .exactOptional()
      .describe('File with the private key, on the machine of the worker.'),
    passphrase: secretRefField
      .exactOptional()
      .describe('Where the worker finds the passphrase of the private key, if it has one.'),
    agent: z
      .union([z.literal(true), localPathField], 'true, or the path of the socket of an agent')
      .exactOptional()
      .describe(
        'Keys of an agent on the machine of the worker: `true` for the one that SSH_AUTH_SOCK names, or the path of its socket.',
      ),
    password: secretRefField
      .exactOptional()
      .describe('Where the worker finds a password, which is tried last. Without this none is ever sent.'),
    knownHosts: localPathField
      .exactOptional()
      .describe(
        'File with the keys of the hosts, on the machine of the worker; else each target pins its `hostKey`, or `edge trust` records what it shows.',
      ),
    jump: z
      .string()
      .regex(JUMPS, 'hosts as `[user@]host[:port]`, with commas between')
      .exactOptional()
      .describe(
        'Hosts to go through, as `[user@]host[:port]`, first to last with commas between. They are logged in to by key or agent, and their keys are those of `knownHosts`, or recorded by `edge trust`.',
      ),
    transport: z
      .enum(['library', 'openssh'])
      .exactOptional()
      .describe(
        'What connects: the `library` that Edge brings, if left out, or the `openssh` client of the machine of the worker, for certificates, Kerberos and FIDO keys.',
      ),
  })
  .check(({ value, issues }) => {
    const wrong = (path: string, message: string) =>
      issues.push({ code: 'custom', input: value, path: [path], message });
    const isLibrary = value.transport !== 'openssh';
    const hasConfig = value.config !== undefined;
    if (!hasConfig && value.user === undefined)
      wrong('user', 'without config the user of the login is needed');
    if (!hasConfig && isLibrary && WAYS_IN.every((way) => value[way] === undefined))
      wrong(
        'identityFile',
        'the library needs one of identityFile, agent, password and config to log in with',
      );
    if (value.jump !== undefined && hopsOf(value.jump).some(({ port = 22 }) => port > 65_535))
      wrong('jump', 'a port is a number from 1 to 65535');
    const hasKeys = hasConfig || value.identityFile !== undefined || value.agent !== undefined;
    if (value.jump !== undefined && isLibrary && !hasKeys)
      wrong('jump', 'a jump host is logged in to by identityFile or agent, never by the password');
    if (!hasConfig && value.passphrase && value.identityFile === undefined)
      wrong('passphrase', 'a passphrase needs the identityFile that it belongs to');
    for (const secret of ['passphrase', 'password'] as const)
      if (!isLibrary && value[secret] !== undefined)
        wrong(secret, `the transport openssh is given no secrets: leave out ${secret}, or use an agent`);
  })
  .describe('How Edge logs in to the hosts.');
export type SshSettings = DeepReadonly<z.infer<typeof sshSchema>>;
