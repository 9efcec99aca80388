import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';

/** Fields that belong to one connection only, not to the message (RFC 9110, 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The fields of a message that go through a proxy: neither hop-by-hop nor named by its `Connection` field. */
export function endToEndFields(message: IncomingMessage): OutgoingHttpHeaders {
  const named = (message.headers.connection ?? '').toLowerCase().split(/\s*,\s*/);
  const fields: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name) && !named.includes(name)) fields[name] = value;
  }
  return fields;
}

/** The value of one cookie, or `undefined`. */
export function persistenceRecord(cookies: string | undefined, name: string): string | undefined {
  for (const pair of (cookies ?? '').split(/;\s*/)) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at) === name) return pair.slice(at + 1);
  }
  return undefined;
}
