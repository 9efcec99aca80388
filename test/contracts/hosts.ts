import { after, before, describe } from 'node:test';
import { HostsBench } from './hosts/bench.ts';
import { cancelling } from './hosts/cancelling.ts';
import { files } from './hosts/files.ts';
import { following } from './hosts/following.ts';
import { keptOutput } from './hosts/kept-output.ts';
import { keys } from './hosts/keys.ts';
import { otherAccount } from './hosts/other-account.ts';
import { scripts } from './hosts/scripts.ts';
import { shellCommands } from './hosts/shell-commands.ts';
import { starting } from './hosts/starting.ts';
import type { HostsWorld } from './hosts/world.ts';

/** What a world has: a shell and processes on its hosts; another account that sudo gives. `skip` is why it is not here. */
export type HostsContractOptions = {
  readonly withShell: boolean;
  readonly withSudo?: boolean;
  readonly skip?: string | false;
};

/**
 * What every adapter of `Hosts`, and of `HostKeys` beside it, must do. What a command does is said in `hosts/doing.ts`, which each world turns into words
 * of its own; what is about shells, processes and accounts is for the worlds that have them.
 */
export function hostsContract(
  name: string,
  open: () => Promise<HostsWorld>,
  { withShell, withSudo = false, skip = false }: HostsContractOptions,
): void {
  // One at a time: some of these tests break the connections of all.
  describe(`hosts: ${name}`, { concurrency: 1, skip }, () => {
    const bench = new HostsBench(open);
    before(() => bench.open());
    after(() => bench.close());
    starting(bench);
    following(bench);
    keptOutput(bench);
    cancelling(bench, { withShell });
    files(bench, { withShell });
    scripts(bench, { withShell });
    keys(bench);
    if (withShell) shellCommands(bench);
    if (withSudo) describe('as another account', () => otherAccount(bench));
  });
}
