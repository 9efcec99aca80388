import { hostAndPort } from '../lib/host-port.ts';

/** A server whose metrics are compared. `port`: where it serves; `null`: it is all that is at its address. */
export type MeasuredServer = {
  readonly name: string;
  readonly address: string;
  readonly port: number | null;
  readonly zone: string;
};

/** The server of the baseline may be in several pairs. */
export type ServerPair = { readonly canary: MeasuredServer; readonly baseline: MeasuredServer };

export type Side = 'canary' | 'baseline';

/** Those of one side, each once, in the order of the pairs. */
export function serversOf(pairs: readonly ServerPair[], side: Side): readonly MeasuredServer[] {
  const byName = new Map(pairs.map((pair) => [pair[side].name, pair[side]]));
  return [...byName.values()];
}

/**
 * Which of the servers a label names: by its name, else by its address, alone or with its port (any, of a server without one). A text that may
 * mean two of them means none.
 */
export function serverFinder(
  servers: readonly MeasuredServer[],
): (label: string) => MeasuredServer | undefined {
  const byName = new Map(servers.map((server) => [server.name, server]));
  return (label) => {
    const named = byName.get(label);
    if (named) return named;
    const [found, ...others] = servers.filter((server) => isAt(server, label));
    return others.length === 0 ? found : undefined;
  };
}

function isAt({ address, port }: MeasuredServer, label: string): boolean {
  const said = hostAndPort(label);
  if (said.host !== address) return false;
  return said.port === undefined || port === null || said.port === port;
}
