import type { EdgeError, ErrorCode } from '../../domain/errors.ts';
import type { ShownKey } from '../../domain/host-key.ts';
import type { HostAddress } from '../../ports/hosts.ts';
import { hostError } from './host-error.ts';
import { checkPinned, listOf } from './host-key.ts';
import type { Shown } from './shown-key.ts';

/** What `ssh` says on stderr before it gives up, and what it means; the first that fits. */
const FAULTS: readonly (readonly [says: RegExp, code: ErrorCode, hint?: string])[] = [
  [
    /IDENTIFICATION HAS CHANGED|HOST KEY FOR .* HAS CHANGED|Host key for .* has changed/i,
    'host_key_mismatch',
  ],
  [/REVOKED HOST KEY|is (marked as )?revoked/i, 'host_key_mismatch'],
  [/host key is known for|Host key verification failed|Certificate invalid/i, 'host_key_unknown'],
  [/Permission denied|Too many authentication failures|Authentication failed/i, 'host_auth_refused'],
  [
    /Bad configuration option|bad configuration options|Can't open user config file|Bad owner or permissions on/i,
    'host_unfit',
    'See to the configuration of ssh on the machine of the worker; pinned fingerprints need OpenSSH 8.5 there.',
  ],
];

/** Why a master has not come to be, by what it said. */
export function masterFault(host: HostAddress, words: string): EdgeError {
  const lines = words.split('\n').map((line) => line.trim());
  // Its warnings stand in frames of `@`.
  const said = lines.filter((line) => line !== '' && !line.startsWith('@')).join(' ');
  const [, code, hint] = FAULTS.find(([says]) => says.test(said)) ?? [undefined, 'host_unreachable' as const];
  const shown = shownKey(words)?.fingerprint;
  if (code.startsWith('host_key_') && shown !== undefined && 'fingerprint' in host.hostKey)
    return hostError(
      'host_key_mismatch',
      host,
      ` showed the key ${shown}; pinned is ${host.hostKey.fingerprint}`,
    );
  const [, other] = /The fingerprint for .* is (SHA256:[A-Za-z0-9+/]+)/.exec(said) ?? [];
  if (code === 'host_key_mismatch' && other !== undefined && 'knownHosts' in host.hostKey)
    return hostError(
      code,
      host,
      ` showed the key ${other}; ${listOf(host.hostKey.knownHosts).join(' ')} says another`,
    );
  return hostError(code, host, `: ${said || 'ssh ended without a word'}`, hint === undefined ? {} : { hint });
}

/** Which key a host has shown to an `ssh` that could not log in, and what it thought of it. Throws why none was shown. */
export function shownIn(host: HostAddress, words: string): Shown {
  const key = shownKey(words);
  const fault = masterFault(host, words);
  if (key === undefined) throw fault;
  if ('fingerprint' in host.hostKey)
    return { ...key, refused: checkPinned(host, host.hostKey.fingerprint, key.fingerprint) };
  if (fault.code.startsWith('host_key_')) return { ...key, refused: fault };
  if (fault.code === 'host_auth_refused') return { ...key, refused: undefined };
  throw fault;
}

/** How our commands that `ssh` asks for known keys tell which key the host has shown. */
function shownKey(words: string): ShownKey | undefined {
  const [, fingerprint, type = ''] = /^@shown (\S+)(?: (\S+))?\s*$/m.exec(words) ?? [];
  return fingerprint === undefined ? undefined : { type, fingerprint };
}

/** Whether `ssh` says that the host refused its master another channel. */
export function isRefusedChannel(words: string): boolean {
  return /session request failed|Session open refused/i.test(words);
}

/** Whether `ssh` says that it got no channel of its master for another reason. */
export function isFailedMaster(words: string): boolean {
  return /^mux_client/m.test(words);
}
