// The hosts of the bench in a process of their own, so that what they cost is counted apart: prints where they are as JSON, and
// ends all of them when its standard input ends.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireService } from '../scripts/services.ts';
import { startSshdFleet } from '../test/support/sshd.ts';
import type { Fanout } from './fanout.ts';

const [count = '200'] = process.argv.slice(2);
const { path, skip } = requireService('sshd');
if (path === undefined) throw new Error(skip);
const fleet = await startSshdFleet({ sshdPath: path, network: '127.73.2', count: Number(count) });
const { folder, hosts } = fleet;
const knownHosts = join(folder, 'known_hosts');
await writeFile(knownHosts, await Promise.all(hosts.map((host) => readFile(host.knownHosts, 'utf8'))));
const [first] = hosts;
const fanout: Fanout = {
  ...{ folder, knownHosts, user: first?.user ?? '', identityFile: first?.identityFile ?? '' },
  hosts: hosts.map(({ address, port }, index) => ({ name: `host-${index + 1}`, address, port })),
};
process.stdin.resume();
process.stdin.once('end', () => void fleet.stop().then(() => process.exit(0)));
console.log(JSON.stringify(fanout));
