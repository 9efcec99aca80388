// `node --import=…/preload.ts`: puts named points around the ports of the process, by loading a wrapping module in place of
// each module that makes one. Production code knows nothing of it.
import { registerHooks } from 'node:module';

const SOURCE = new URL('../../../src/', import.meta.url);
const WRAPPED = new URL('./wrapped/', import.meta.url);

/** Module of src/ → what is loaded in its place. Each imports the real one, and hands on what it does not wrap. */
const PLACES = [
  ['adapters/sql/ports.ts', 'store-ports.ts'],
  ['adapters/sql/operations.ts', 'operations.ts'],
  ['adapters/sql/sqlite-connection.ts', 'sqlite-connection.ts'],
  ['adapters/mysql/transaction.ts', 'transaction.ts'],
  ['adapters/http-task-board/task-board.ts', 'task-board.ts'],
  ['adapters/ssh/ssh-hosts.ts', 'ssh-hosts.ts'],
  ['adapters/ssh/script-channel.ts', 'script-channel.ts'],
  ['adapters/f5/load-balancer.ts', 'f5-balancer.ts'],
  ['adapters/haproxy/load-balancer.ts', 'haproxy-balancer.ts'],
  ['outbound/probe.ts', 'probe.ts'],
] as const;

const wrappers = new Map(
  PLACES.map(([real, wrapper]) => [new URL(real, SOURCE).href, new URL(wrapper, WRAPPED).href]),
);

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const wrapper = wrappers.get(found.url);
    const isFromWrapper = context.parentURL?.startsWith(WRAPPED.href);
    return wrapper === undefined || isFromWrapper ? found : { ...found, url: wrapper };
  },
});
