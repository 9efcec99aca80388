import { access } from 'node:fs/promises';
import ssh2, { type AgentAuthMethod, type PasswordAuthMethod, type PublicKeyAuthMethod } from 'ssh2';
import { EdgeError } from '../../domain/errors.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { fileFault } from '../../lib/file-fault.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import type { Secrets } from '../../ports/secrets.ts';
import { hostError } from './host-error.ts';
import { KeptFiles } from './kept-files.ts';

/** Where credentials come from, on the machine of the worker. */
export type CredentialSources = {
  readonly secrets: Secrets | undefined;
  readonly agentSocket: string | undefined;
};

/** One way to log in; `what` names it in errors, and never what it holds. */
export type Method = {
  readonly what: string;
  readonly method: PublicKeyAuthMethod | AgentAuthMethod | PasswordAuthMethod;
};

/**
 * What is configured for this host and nothing else: the private key, then the agent, then the password. A file
 * that has changed counts at the next connect. Rejects with `host_auth_refused` or `secret_unavailable`.
 */
export async function methodsOf(host: HostAddress, sources: CredentialSources): Promise<readonly Method[]> {
  const { user: username = '', identityFile, agent, password } = host;
  const methods: Method[] = [];
  for (const file of await filesOf(identityFile)) {
    const key = await keyOf(host, file, sources);
    methods.push({ what: `the key ${file}`, method: { type: 'publickey', username, key } });
  }
  if (agent !== undefined) {
    const socket = agentOf(host, agent, sources);
    methods.push({
      what: `the keys of the agent ${socket}`,
      method: { type: 'agent', username, agent: socket },
    });
  }
  if (password !== undefined) {
    const method = { type: 'password', username, password: await resolved(password, sources) } as const;
    methods.push({ what: 'the password', method });
  }
  if (methods.length > 0) return methods;
  throw hostError('host_auth_refused', host, ': no key, agent or password is configured to log in with');
}

/** One that is named must be there; of several only some may be. */
async function filesOf(identityFile: HostAddress['identityFile'] = []): Promise<readonly string[]> {
  if (typeof identityFile === 'string') return [identityFile];
  const there = await Promise.all(
    identityFile.map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return identityFile.filter((_, at) => there[at]);
}

type Understood = ssh2.ParsedKey | Error | undefined;

/** A private key, understood once for the passphrase that it is tried with. */
class KeyFile {
  readonly #content: Buffer;
  #last: { readonly passphrase: string | undefined; readonly key: Understood } | undefined;

  constructor(content: Buffer) {
    this.#content = content;
  }

  keyBy(passphrase: string | undefined): Understood {
    if (this.#last && this.#last.passphrase === passphrase) return this.#last.key;
    const parsed = ssh2.utils.parseKey(this.#content, passphrase);
    const key = Array.isArray(parsed) ? parsed[0] : parsed;
    this.#last = { passphrase, key };
    return key;
  }
}

const keyFiles = new KeptFiles((content) => new KeyFile(content));

async function keyOf(
  host: HostAddress,
  identityFile: string,
  sources: CredentialSources,
): Promise<ssh2.ParsedKey> {
  const file = await keyFiles.read(identityFile).catch((cause) => {
    const why = `: the private key ${identityFile} cannot be read: ${fileFault(cause)}`;
    throw hostError('host_auth_refused', host, why, { cause });
  });
  const passphrase = host.passphrase && (await resolved(host.passphrase, sources));
  const key = file.keyBy(passphrase);
  if (key && !(key instanceof Error) && key.isPrivateKey()) return key;
  const isLocked = key instanceof Error && /passphrase/i.test(key.message);
  if (!isLocked)
    throw hostError('host_auth_refused', host, `: ${identityFile} is not a private key Edge can use`);
  const why = host.passphrase ? 'and the passphrase is not its own' : 'and no passphrase is configured';
  throw hostError('host_auth_refused', host, `: the private key ${identityFile} is encrypted, ${why}`, {
    hint: 'Name the secret that holds it as `ssh.passphrase` of the environment, or use an agent.',
  });
}

function agentOf(host: HostAddress, agent: true | string, { agentSocket }: CredentialSources): string {
  if (agent !== true) return agent;
  if (agentSocket !== undefined) return agentSocket;
  throw hostError('host_auth_refused', host, ': SSH_AUTH_SOCK names no agent where the worker runs', {
    hint: 'Start the worker with SSH_AUTH_SOCK, or give the path of the socket as `ssh.agent`.',
  });
}

function resolved(reference: SecretRef, { secrets }: CredentialSources): Promise<string> {
  if (secrets) return secrets.resolve(reference);
  throw new EdgeError('secret_unavailable', 'This process resolves no secrets');
}
