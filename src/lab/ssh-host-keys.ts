import { generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';

/** An ed25519 key pair in OpenSSH's formats: `privateKey` as in a key file, `publicKey` as `ssh-ed25519 AAAA…`. */
export type KeyPair = { readonly privateKey: string; readonly publicKey: string };

/**
 * Not by ssh2's own generator: it drops a public key's leading zero bytes, so that one key in 256 is not valid
 * (1.17, lib/keygen.js).
 */
export function newKeyPair(): KeyPair {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [seed, point] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  const publicBlob = Buffer.concat([field(KEY_TYPE), field(point)]);
  return {
    privateKey: privateKeyFile(
      publicBlob,
      Buffer.concat([field(KEY_TYPE), field(point), field([...seed, ...point])]),
    ),
    publicKey: `${KEY_TYPE} ${publicBlob.toString('base64')}`,
  };
}

const KEY_TYPE = 'ssh-ed25519';
const CIPHER_BLOCK = 8;

/** The format of OpenSSH's PROTOCOL.key, without a passphrase: the two equal check numbers may then be zero. */
function privateKeyFile(publicBlob: Uint8Array, secret: Uint8Array): string {
  const plain = Buffer.concat([number(0), number(0), secret, field('')]);
  const padding = Array.from({ length: -plain.length & (CIPHER_BLOCK - 1) }, (_, index) => index + 1);
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(field),
    number(1),
    field(publicBlob),
    field([...plain, ...padding]),
  ]);
  const lines = file.toString('base64').replace(/.{70}/g, '$&\n');
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A string of RFC 4251 section 5: its length, then its bytes. */
function field(content: string | ArrayLike<number>): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Uint8Array.from(content);
  return Buffer.concat([number(bytes.length), bytes]);
}

/** Writes a private key where OpenSSH's client accepts it (0600), and gives the file's path. */
export async function writeIdentity(folder: string, pair: KeyPair): Promise<string> {
  const file = join(folder, 'identity');
  await writeFile(file, pair.privateKey, { mode: 0o600 });
  await writeFile(`${file}.pub`, `${pair.publicKey} edge-lab\n`);
  return file;
}

/** One line of a known_hosts file (sshd(8)): the port is named only where it is not 22. */
export function knownHostsLine(host: { address: string; port: number; publicKey: string }): string {
  const name = host.port === 22 ? host.address : `[${host.address}]:${host.port}`;
  return `${name} ${host.publicKey}\n`;
}

/** A public key that `newKeyPair` made. Throws on any other text. */
export function parsePublicKey(text: string): ssh2.ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

/** Compares in a time that does not tell where two values differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
