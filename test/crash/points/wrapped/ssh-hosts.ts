import { createSshHosts as realHosts, type SshHostsOptions } from '../../../../src/adapters/ssh/ssh-hosts.ts';
import type { Hosts, RunOptions } from '../../../../src/ports/hosts.ts';
import { point } from '../point.ts';
import { pointed } from '../pointed.ts';

const HOSTS = { name: 'hosts', methods: ['run', 'status', 'cancel', 'upload'] };

export function createSshHosts(options: SshHostsOptions): Hosts & { close(): void } {
  const hosts = realHosts(options);
  const run: Hosts['run'] = (host, task, given) => hosts.run(host, task, withPoints(given));
  return pointed({ ...hosts, run }, HOSTS);
}

/** `dispatching`, `dispatched`: before and after the intent is stored. `output`, `outputStored`: the same of a piece of output. */
function withPoints(options: RunOptions): RunOptions {
  return {
    ...options,
    onDispatch: async (identity) => {
      point('hosts.run:dispatching');
      await options.onDispatch(identity);
      point('hosts.run:dispatched');
    },
    onOutput: async (chunk) => {
      point('hosts.run:output');
      await options.onOutput(chunk);
      point('hosts.run:outputStored');
    },
  };
}
