import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server that can be cut, or go silent without a word to either side. */
export type TcpProxy = {
  readonly port: number;
  /** Connections that were taken so far. */
  readonly taken: () => number;
  /** Connections that are open now. */
  readonly open: () => number;
  /** Resets every open connection. */
  cut(): void;
  /** From now on no byte passes on the open connections, which stay open; new ones are not affected. */
  blackhole(): void;
  close(): Promise<void>;
};

export async function startTcpProxy(
  address: string,
  to: { address: string; port: number },
): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let taken = 0;
  const server = createServer((near) => {
    taken += 1;
    const far = connect({ host: to.address, port: to.port, noDelay: true });
    near.setNoDelay(true);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, into] of [pair, [far, near] as const]) {
      from.pipe(into);
      from.on('error', () => undefined);
      from.on('close', () => {
        pairs.delete(pair);
        into.destroy();
      });
    }
  });
  server.listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the proxy has no port');
  const cut = () => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  };
  return {
    port: bound.port,
    taken: () => taken,
    open: () => pairs.size,
    cut,
    blackhole: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
