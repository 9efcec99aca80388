import * as real from '../../../../src/adapters/ssh/script-channel.ts';
import { point } from '../point.ts';

export const readHost = real.readHost;

/** `sent`: the host is being told to start a command. `claimed`: it has begun to, and nobody else knows. */
export const openScript: typeof real.openScript = async (pool, request, signal) => {
  const script = await real.openScript(pool, request, signal);
  if (request.verb !== 'open') return script;
  const { write, next } = script;
  script.write = async (data) => {
    await write.call(script, data);
    point('hosts.run:sent');
  };
  script.next = async (until) => {
    const said = await next.call(script, until);
    if (said?.word === 'claimed') point('hosts.run:claimed');
    return said;
  };
  return script;
};
