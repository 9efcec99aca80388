// A command on many hosts without any promise: ssh2, all at once, no record, no answer to any failure.
// `fanout-bare.ts <fanout.json>`
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Client } from 'ssh2';
import type { Fanout } from './fanout.ts';

const [file = ''] = process.argv.slice(2);
const { hosts, user, identityFile } = JSON.parse(await readFile(file, 'utf8')) as Fanout;
const privateKey = await readFile(identityFile);
const names = await Promise.all(hosts.map(answerOf));
if (new Set(names).size !== 1) throw new Error(`all hosts are this machine, and they say ${names.join(' ')}`);

async function answerOf({ address, port }: Fanout['hosts'][number]): Promise<string> {
  const client = new Client();
  const sock = connect({ host: address, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ sock, username: user, privateKey, readyTimeout: 300_000 });
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      client.exec('hostname', (error, channel) => {
        if (error) return reject(error);
        let said = '';
        channel.on('data', (data: Buffer) => {
          said += String(data);
        });
        channel.on('close', (code: number) =>
          code === 0 ? resolve(said) : reject(new Error(`exit ${code}`)),
        );
      });
    });
  } finally {
    client.end();
  }
}
