import { EdgeError } from '../domain/errors.ts';
import { placeOfKey } from '../domain/host-key.ts';
import type { TargetConfig } from '../domain/project-environment.ts';
import { hopsOf, type SshSettings } from '../domain/ssh.ts';
import type { Settings } from './settings.ts';

type Target = Pick<TargetConfig, 'name' | 'address' | 'sshPort' | 'hostKey'>;
type Reaching = Pick<Settings, 'project' | 'environment' | 'ssh' | 'hostKeys'>;

/** By what a host is known: a `HostKey` of src/ports/hosts.ts. */
type Key = { readonly fingerprint: string } | { readonly knownHosts: string } | { readonly config: true };

/**
 * How a target is reached: a `HostAddress` of src/ports/hosts.ts. What is as usual is left out. Throws `host_key_unknown` where
 * nobody has said which key is its own, or that of a jump host on the way.
 */
export function hostAddressOf(target: Target, settings: Reaching) {
  const { hostKey, jump, ...way } = wayTo(target, settings);
  return {
    ...way,
    hostKey: hostKey ?? unknownKey(`The target ${target.name}`, target.name, settings),
    ...(jump && {
      jump: jump.map((hop) => ({
        ...hop,
        hostKey: hop.hostKey ?? unknownKey(`The jump host ${hop.address}`, target.name, settings),
      })),
    }),
  };
}

/** The same, without the keys that nobody knows yet. */
export function wayTo(target: Target, { ssh, hostKeys }: Reaching) {
  const { user, port, knownHosts, jump, transport, ...login } = ssh;
  const place = { address: target.address, ...portOf(target.sshPort ?? port, ssh) };
  return {
    name: target.name,
    ...place,
    ...(user !== undefined && { user }),
    ...login,
    ...keyOf(place, target.hostKey, { ssh, hostKeys }),
    ...(jump !== undefined && { jump: jumpsOf(jump, { ssh, hostKeys }) }),
    ...(transport === 'openssh' && { transport }),
  };
}

/** The jump hosts of an environment, each as a host of its own that is reached through those before it. */
export function waysToJumpHosts(settings: Reaching) {
  const { password: _, ...ssh } = settings.ssh;
  if (ssh.jump === undefined) return [];
  const { jump = [], ...way } = wayTo({ name: '', address: '' }, { ...settings, ssh });
  const { hostKey: __, port: ___, ...login } = way;
  const hops = jump.map((hop) => ({ ...(ssh.user !== undefined && { user: ssh.user }), ...hop }));
  return hops.map((hop, at) => ({
    ...login,
    ...hop,
    name: hop.address,
    ...(at > 0 && { jump: hops.slice(0, at) }),
  }));
}

/** With a file of configuration a port that nobody has given is that file's to say. */
function portOf(port: number | undefined, { config }: SshSettings): { readonly port?: number } {
  const known = port ?? (config === undefined ? 22 : undefined);
  return known === undefined ? {} : { port: known };
}

type Known = Pick<Reaching, 'ssh' | 'hostKeys'>;

function jumpsOf(jump: string, { ssh, hostKeys }: Known) {
  return hopsOf(jump).map(({ port, ...hop }) => {
    const place = { ...hop, ...portOf(port, ssh) };
    return { ...place, ...keyOf(place, undefined, { ssh, hostKeys }) };
  });
}

type Place = { readonly address: string; readonly port?: number };

/** The nearest to the target goes first: its own pin, what the environment names, and what a person has recorded. */
function keyOf(
  { address, port }: Place,
  pinned: string | undefined,
  { ssh: { knownHosts, config }, hostKeys }: Known,
): { readonly hostKey?: Key } {
  if (pinned !== undefined) return { hostKey: { fingerprint: pinned } };
  if (knownHosts !== undefined) return { hostKey: { knownHosts } };
  if (config !== undefined) return { hostKey: { config: true } };
  const recorded = port === undefined ? undefined : hostKeys.get(placeOfKey(address, port));
  return recorded === undefined ? {} : { hostKey: { fingerprint: recorded } };
}

function unknownKey(who: string, target: string, { project, environment }: Reaching): never {
  throw new EdgeError('host_key_unknown', `${who} has no known host key`, {
    hint: `\`edge trust ${project} ${environment}\` shows it and records it; or give the target its \`hostKey\`, or the environment \`ssh.knownHosts\`.`,
    where: { target },
  });
}
