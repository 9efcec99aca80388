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
  /**
   * Cuts the connection on which the near side sends a packet that ends with this text next: before the far side has it, or
   * once it has answered, without its answer. Resolves when that was done.
   */
  cutAt(text: string, when: 'before' | 'answered'): Promise<void>;
  close(): Promise<void>;
};

export async function startTcpProxy(
  address: string,
  to: { address: string; port: number },
): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let taken = 0;
  let trap: Trap | undefined;
  const server = createServer((near) => {
    taken += 1;
    const far = connect({ host: to.address, port: to.port, noDelay: true });
    near.setNoDelay(true);
    const pair = [near, far] as const;
    pairs.add(pair);
    // Before the pipes, which come after: they pass on what this has let through.
    near.on('data', (data: Buffer) => {
      const sprung = trap;
      if (!sprung || !data.toString('latin1').endsWith(sprung.text)) return;
      trap = undefined;
      spring(sprung, pair);
    });
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
    cutAt: (text, when) =>
      new Promise((resolve) => {
        trap = { text, when, sprung: resolve };
      }),
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

type Trap = { readonly text: string; readonly when: 'before' | 'answered'; readonly sprung: () => void };

function spring({ when, sprung }: Trap, [near, far]: readonly [Socket, Socket]): void {
  const reset = (): void => {
    far.resetAndDestroy();
    near.resetAndDestroy();
    sprung();
  };
  if (when === 'before') {
    reset();
    return;
  }
  far.unpipe(near);
  far.once('data', reset).resume();
}
