import { readFileSync } from 'node:fs';
import { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import { EdgeError } from '../domain/errors.ts';
import { fileFault } from '../lib/file-fault.ts';

/**
 * Whom to believe: the certificates of a CA file, one certificate by its SHA-256 fingerprint (hex, colons or not), or the
 * system's CAs. `none` is for plain http, and refuses https.
 */
export type Trust = { readonly ca: string } | { readonly fingerprint: string } | 'system' | 'none';

/** HTTP/1.1 only: a call whose deadline has passed ends its own connection and no other call's. */
const CONNECT = { timeout: 10_000, allowH2: false } as const;

/** Rejects with a code of its own, so that it is told apart from a host that is not there. */
export class TrustError extends Error {
  readonly code = 'EDGE_TRUST';
}

/** Opens connections under a trust. Throws `config_unreadable` when the CA file cannot be read. */
export function connectorFor(trust: Trust): buildConnector.connector {
  if (trust === 'none') return plainOnly();
  if (trust === 'system') return buildConnector(CONNECT);
  if ('ca' in trust) return buildConnector({ ...CONNECT, ca: readCa(trust.ca) });
  return pinned(normalised(trust.fingerprint));
}

function plainOnly(): buildConnector.connector {
  const connect = buildConnector(CONNECT);
  return (options, callback) => {
    if (options.protocol === 'https:') callback(new TrustError('no trust is configured for https'), null);
    else connect(options, callback);
  };
}

/**
 * The certificate is looked at after the handshake and before the first byte of a request. Sessions are not resumed: a
 * resumed one shows no certificate.
 */
function pinned(wanted: string): buildConnector.connector {
  const connect = buildConnector({
    ...CONNECT,
    rejectUnauthorized: false,
    maxCachedSessions: 0,
  });
  return (options, callback) => {
    connect(options, (error, socket) => {
      if (error) return callback(error, null);
      const seen =
        socket instanceof TLSSocket ? normalised(socket.getPeerCertificate().fingerprint256 ?? '') : '';
      if (seen === wanted) return callback(null, socket);
      socket.destroy();
      callback(
        new TrustError(`the certificate has the fingerprint ${seen || 'none'}, not the pinned ${wanted}`),
        null,
      );
    });
  };
}

const normalised = (fingerprint: string): string =>
  fingerprint
    .replace(/^sha256:/i, '')
    .replaceAll(':', '')
    .toLowerCase();

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

const unreadable = (path: string, cause: unknown): EdgeError =>
  new EdgeError('config_unreadable', `The CA file ${path} cannot be read: ${fileFault(cause)}`, {
    where: { file: path },
    cause,
  });
