import { hostsContract } from '../contracts/hosts.ts';
import { openLabHostsWorld } from '../support/lab-hosts-world.ts';

// What is learned in the lab is true of a real host only as far as the two do the same.
const skip = process.platform === 'linux' ? false : 'the helpers that a host needs are those of Linux';

hostsContract('a host of the lab', openLabHostsWorld, { withShell: true, skip });
