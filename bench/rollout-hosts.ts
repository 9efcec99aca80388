// The hosts of the bench in a process of their own, so that what they cost is counted apart: prints the estate as JSON, and
// ends all of it when its standard input ends.
import { requireService } from '../scripts/services.ts';
import { openWorld } from './rollout-world.ts';

const [hosts = '100', ...versions] = process.argv.slice(2);
const [sshd, haproxy, nginx] = (['sshd', 'haproxy', 'nginx'] as const).map((name) => {
  const { path, skip } = requireService(name);
  if (path === undefined) throw new Error(skip);
  return path;
});
const world = await openWorld({
  ...{ hosts: Number(hosts), versions },
  ...{ sshdPath: sshd ?? '', haproxyPath: haproxy ?? '', nginxPath: nginx ?? '' },
});
process.stdin.resume();
process.stdin.once('end', () => void world.stop().then(() => process.exit(0)));
console.log(JSON.stringify(world.estate));
