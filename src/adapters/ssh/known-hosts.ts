import { createHash, createHmac } from 'node:crypto';

/** A line of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). `key` is the wire form of the public key. */
type Entry = {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  readonly names: string;
  readonly type: string;
  readonly line: number;
  readonly key: Buffer;
};

export type KnownKeys = {
  readonly keys: readonly Buffer[];
  readonly revoked: readonly Buffer[];
  /** Key types of `keys`, in the file's order: the client asks the host for these first. */
  readonly types: readonly string[];
  /** The file trusts an authority for this host (`@cert-authority`); its key is not among `keys`. */
  readonly hasAuthority: boolean;
};

/** The lines of known_hosts files, those that name hosts as they are by name: a large fleet has a line for each of its hosts. */
export type KnownHosts = {
  readonly named: ReadonlyMap<string, readonly Entry[]>;
  /** Those with patterns or hashed names. */
  readonly matching: readonly Entry[];
};

export function knownHosts(fileText: string): KnownHosts {
  const named = new Map<string, Entry[]>();
  const matching: Entry[] = [];
  for (const entry of fileText.split('\n').flatMap(parseLine)) {
    if (/^\||[*?!]/.test(entry.names)) matching.push(entry);
    else
      for (const name of new Set(entry.names.toLowerCase().split(',')))
        named.set(name, [...(named.get(name) ?? []), entry]);
  }
  return { named, matching };
}

/** What the files say of a host. */
export function keysOf(known: readonly KnownHosts[], address: string, port: number): KnownKeys {
  const name = (port === 22 ? address : `[${address}]:${port}`).toLowerCase();
  const mine = known.flatMap(({ named, matching }) =>
    [...(named.get(name) ?? []), ...matching.filter((entry) => nameMatches(entry.names, name))].toSorted(
      (a, b) => a.line - b.line,
    ),
  );
  const marked = (marker: Entry['marker']) => mine.filter((entry) => entry.marker === marker);
  const trusted = marked('none');
  return {
    keys: trusted.map((entry) => entry.key),
    revoked: marked('revoked').map((entry) => entry.key),
    types: [...new Set(trusted.map((entry) => entry.type))],
    hasAuthority: marked('cert-authority').length > 0,
  };
}

function parseLine(line: string, number: number): Entry[] {
  const fields = line.trim().split(/\s+/);
  const marker = MARKERS[fields[0]?.startsWith('@') ? (fields.shift() ?? '') : ''];
  const [names, type, key] = fields;
  if (!marker || !names || names.startsWith('#') || !type || !key) return [];
  return [{ marker, names, type, line: number, key: Buffer.from(key, 'base64') }];
}

/** A line with another marker says nothing. */
const MARKERS: Readonly<Record<string, Entry['marker']>> = {
  '': 'none',
  '@revoked': 'revoked',
  '@cert-authority': 'cert-authority',
};

function nameMatches(names: string, name: string): boolean {
  if (names.startsWith('|1|')) return hashMatches(names, name);
  const patterns = names.toLowerCase().split(',');
  const matches = (pattern: string) => globMatches(pattern, name);
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern));
}

/** `|1|<salt>|<HMAC-SHA1 of the name by the salt>`, both in base64. */
function hashMatches(names: string, name: string): boolean {
  const [, , salt, hash] = names.split('|');
  if (!salt || !hash) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** `*` and `?`, by steps through both texts: no regular expression is made of what stands in a file. */
function globMatches(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') [star, mark] = [p++, t];
    else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star >= 0) [p, t] = [star + 1, ++mark];
    else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** As `ssh-keygen -l` prints it: `SHA256:` and the digest of the wire form, base64 without padding. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
