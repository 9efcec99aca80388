import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import ssh2, { type Client, type ClientChannel } from 'ssh2';

export type Login = {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey: string;
};

export type ExecResult = {
  readonly code: number | null;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
};

/** A plain SSH client for tests. Rejects when the host does not let it in. */
export async function connect(login: Login): Promise<Client> {
  const client = new ssh2.Client();
  client.once('connect', () => client.setNoDelay(true));
  client.connect({
    host: login.address,
    port: login.port,
    username: login.user,
    privateKey: login.privateKey,
  });
  await once(client, 'ready');
  client.on('error', () => {});
  return client;
}

export async function loginOf(host: {
  address: string;
  port: number;
  user: string;
  identityFile: string;
}): Promise<Login> {
  return { ...host, privateKey: await readFile(host.identityFile, 'utf8') };
}

export function openExec(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

/** Runs a command to its end; `input` goes to its standard input, which is then closed. */
export function exec(
  client: Client,
  command: string,
  input: Uint8Array = Buffer.alloc(0),
): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    // All is listened to at once: the exit may be in the packet that opens the channel.
    client.exec(command, (error, channel) => {
      if (error) reject(error);
      else finish(channel, input).then(resolve, reject);
    });
  });
}

async function finish(channel: ClientChannel, input: Uint8Array): Promise<ExecResult> {
  const parts = [once(channel, 'exit'), buffer(channel), buffer(channel.stderr as Readable)] as const;
  channel.end(input);
  const [[code, signal], stdout, stderr] = await Promise.all(parts);
  return { code, signal, stdout, stderr };
}
