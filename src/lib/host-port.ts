/**
 * `host:port`, `[IPv6]:port` or a host alone, taken apart; an IPv6 address without brackets is a host alone. What stands
 * behind the last colon and is no port belongs to the host.
 */
export function hostAndPort(text: string): { readonly host: string; readonly port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
  const [, host, digits] = bracketed ?? /^([^:]*):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined) return { host: text };
  const port = Number(digits);
  return { host, ...(digits !== undefined && port > 0 && port <= 65_535 && { port }) };
}
