/** Names of pools and members, and their place in addresses (INTEGRATIONS.md 1.2). */

/** `/Prod/web` of `web` in the partition `Prod`; a full path stays as it is. */
export function fullPath(name: string, partition: string): string {
  return name.startsWith('/') ? name : `/${partition}/${name}`;
}

/** The way the configuration names a member: short in the partition of the balancer's account, else its full path. */
export function shortName(path: string, partition: string): string {
  const prefix = `/${partition}/`;
  return path.startsWith(prefix) && !path.slice(prefix.length).includes('/')
    ? path.slice(prefix.length)
    : path;
}

/**
 * A full path as one segment of an address: `/` becomes `~`, a route domain's `%` becomes `%25`, and whatever else could
 * end the segment (`?`, `#`, white space, …) is escaped too. Colons stay: devices expect them bare.
 */
export function segment(path: string): string {
  return encodeURIComponent(path.replaceAll('/', '~')).replaceAll('%3A', ':');
}

/**
 * `node|port`, by which members and statistics are matched: the addresses in statistics are not reliable keys. An IPv6
 * member has a dot before its port; `any` is port 0.
 */
export function nodeKey(memberPath: string): string {
  const { node, port } = partsOf(memberPath);
  return `${node}|${port === 'any' ? 0 : Number(port)}`;
}

/** The port of a member's name; a member on any port has none. */
export function portOf(memberPath: string): number | undefined {
  const port = Number(partsOf(memberPath).port);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
}

function partsOf(memberPath: string): { readonly node: string; readonly port: string } {
  const at = memberPath.split(':').length > 2 ? memberPath.lastIndexOf('.') : memberPath.lastIndexOf(':');
  return { node: memberPath.slice(0, at), port: memberPath.slice(at + 1) };
}
