import { once } from 'node:events';
import { createServer } from 'node:net';
import { SshHost, type SshHostOptions } from './ssh-host.ts';

/** Below the range from which systems take ports for outgoing connections (32768 on Linux, 49152 on macOS). */
const FIRST_SSH_PORT = 22_000;
const FIRST_APP_PORT = 28_000;
const PORTS = 500;
const FIRST_ADDRESS = 11;

/** 127.0.0.11 and on; 127.0.0.1 for all where the system has no other loopback address (macOS). */
export async function loopbackAddress(index: number): Promise<string> {
  const own = `127.0.0.${FIRST_ADDRESS + index}`;
  return (await canListen(own, 0)) ? own : '127.0.0.1';
}

/**
 * Starts a host on the first pair of ports that is free at its address: one for SSH, one for its application. The
 * SSH port is held from now on and stands for the pair, so two labs on one machine never share an application's port.
 */
export async function startOnFreePorts(
  options: Omit<SshHostOptions, 'port'>,
): Promise<{ readonly ssh: SshHost; readonly appPort: number }> {
  for (let offset = 0; offset < PORTS; offset += 1) {
    const ssh = await startUnlessTaken({ ...options, port: FIRST_SSH_PORT + offset });
    if (!ssh) continue;
    const appPort = FIRST_APP_PORT + offset;
    if (await canListen(options.address, appPort)) return { ssh, appPort };
    await ssh.stop();
  }
  throw new Error(`no free port at ${options.address} from ${FIRST_SSH_PORT} to ${FIRST_SSH_PORT + PORTS}`);
}

async function startUnlessTaken(options: SshHostOptions): Promise<SshHost | undefined> {
  try {
    return await SshHost.start(options);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

async function canListen(address: string, port: number): Promise<boolean> {
  const server = createServer().listen(port, address);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
