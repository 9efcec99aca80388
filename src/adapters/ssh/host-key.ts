import type { ServerHostKeyAlgorithm } from 'ssh2';
import type { EdgeError } from '../../domain/errors.ts';
import { fileFault } from '../../lib/file-fault.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';
import { KeptFiles } from './kept-files.ts';
import { fingerprintOf, type KnownHosts, type KnownKeys, keysOf, knownHosts } from './known-hosts.ts';

/** Says `undefined` for the right key, else the error. Asked before anything of ours is sent to the host. */
export type HostKeyCheck = {
  readonly verify: (key: Buffer) => EdgeError | undefined;
  readonly algorithms: ServerHostKeyAlgorithm[];
};

/** Signatures over SHA-1 are not offered; a known key's own algorithm goes first, as in OpenSSH. */
const ALGORITHMS: readonly (readonly [keyType: string, algorithms: readonly ServerHostKeyAlgorithm[]])[] = [
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
];

function algorithmsFor(knownTypes: readonly string[]): ServerHostKeyAlgorithm[] {
  const known = ALGORITHMS.filter(([type]) => knownTypes.includes(type));
  const others = ALGORITHMS.filter(([type]) => !knownTypes.includes(type));
  return [...known, ...others].flatMap(([, algorithms]) => algorithms);
}

/** Looked at at each connect: a mended known_hosts file counts at once. */
export async function hostKeyCheck(host: HostAddress): Promise<HostKeyCheck> {
  if ('fingerprint' in host.hostKey) {
    const pinned = host.hostKey.fingerprint;
    return { verify: (key) => checkPinned(host, pinned, fingerprintOf(key)), algorithms: algorithmsFor([]) };
  }
  const files = 'config' in host.hostKey ? [] : listOf(host.hostKey.knownHosts);
  const known = keysOf(await readKnownHosts(host, files), host.address, host.port ?? 22);
  return {
    verify: (key) => checkKnown(host, { file: files.join(' '), ...known }, key),
    algorithms: algorithmsFor(known.types),
  };
}

/** Of several files those that are there. */
async function readKnownHosts(host: HostAddress, files: readonly string[]): Promise<readonly KnownHosts[]> {
  const read = await Promise.allSettled(files.map((file) => knownHostsFiles.read(file)));
  const found = read.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (found.length > 0) return found;
  const [first] = read;
  const cause = first?.status === 'rejected' ? first.reason : new Error('no file is named');
  const why = `: the known_hosts file ${files.join(' ')} cannot be read: ${fileFault(cause)}`;
  throw hostError('host_key_unknown', host, why, { cause });
}

/** With a line for each host of a fleet, to read such a file for each host would cost their square. */
const knownHostsFiles = new KeptFiles((content) => knownHosts(content.toString()));

export const listOf = (one: string | readonly string[] = []): readonly string[] =>
  typeof one === 'string' ? [one] : one;

export function checkPinned(host: HostAddress, pinned: string, shown: string): EdgeError | undefined {
  if (shown === pinned.replace(/=+$/, '')) return undefined;
  return hostError('host_key_mismatch', host, ` showed the key ${shown}; pinned is ${pinned}`);
}

function checkKnown(
  host: HostAddress,
  known: KnownKeys & { readonly file: string },
  key: Buffer,
): EdgeError | undefined {
  const { file } = known;
  const shown = ` showed the key ${fingerprintOf(key)}`;
  if (known.revoked.some((revoked) => revoked.equals(key))) {
    return hostError('host_key_mismatch', host, `${shown}, which ${file} revokes`);
  }
  if (known.keys.some((trusted) => trusted.equals(key))) return undefined;
  if (known.keys.length === 0 && known.hasAuthority) {
    const why = `${shown}; ${file} trusts an authority for it, and the library knows no certificates of hosts`;
    const hint = 'Give the environment `ssh.transport: openssh`, which does.';
    return hostError('host_key_unknown', host, why, { hint });
  }
  if (known.keys.length === 0)
    return hostError('host_key_unknown', host, `${shown}; ${file} knows none of this host`);
  const expected = known.keys.map(fingerprintOf).join(' or ');
  return hostError('host_key_mismatch', host, `${shown}; ${file} says ${expected}`);
}
