import { createHash, createHmac } from 'node:crypto';

/** A line of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). `key` is the wire form of the public key. */
type Entry = {
  readonly revoked: boolean;
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
};

export type KnownKeys = {
  readonly keys: readonly Buffer[];
  readonly revoked: readonly Buffer[];
  /** Key types of `keys`, in the file's order: the client asks the host for these first. */
  readonly types: readonly string[];
};

/** What the file says of a host. Authorities (`@cert-authority`) are left out: ssh2 knows no host certificates. */
export function keysOf(fileText: string, address: string, port: number): KnownKeys {
  const name = port === 22 ? address : `[${address}]:${port}`;
  const entries = fileText.split('\n').flatMap(parseLine);
  const mine = entries.filter((entry) => nameMatches(entry.names, name.toLowerCase()));
  const trusted = mine.filter((entry) => !entry.revoked);
  return {
    keys: trusted.map((entry) => entry.key),
    revoked: mine.filter((entry) => entry.revoked).map((entry) => entry.key),
    types: [...new Set(trusted.map((entry) => entry.type))],
  };
}

function parseLine(line: string): Entry[] {
  const fields = line.trim().split(/\s+/);
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
  const [names, type, key] = fields;
  if (!names || names.startsWith('#') || !type || !key || marker === '@cert-authority') return [];
  return [{ revoked: marker === '@revoked', names, type, key: Buffer.from(key, 'base64') }];
}

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
