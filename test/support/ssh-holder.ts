import { createSshHosts } from '../../src/adapters/ssh/ssh-hosts.ts';
import type { HostAddress } from '../../src/ports/hosts.ts';
import { realClock } from './clock.ts';

// A process that connects to a host, says so, and then only stays. Its argument: the host, as JSON.

const hosts = createSshHosts({ clock: realClock, random: Math.random });
await hosts.facts(JSON.parse(process.argv[2] ?? '{}') as HostAddress);
process.stdout.write('connected\n');
