// What a rollout costs without any promise: ssh2 and a socket, the same steps and the same checks, no record, no second look, no
// answer to any failure. `rollout-floor.ts <estate.json> <version>`
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'ssh2';
import { COURSE, type Estate, POOL, type Target } from './rollout-world.ts';

const [file = '', version = ''] = process.argv.slice(2);
const estate = JSON.parse(await readFile(file, 'utf8')) as Estate;
const artifact = estate.artifacts.find((one) => one.version === version);
if (!artifact) throw new Error(`no artifact ${version}`);
const { sha256 } = artifact;
const body = await readFile(artifact.path);
const privateKey = await readFile(estate.identityFile);

/** It waits for ever for what never comes. */
const tooLong = setTimeout(() => {
  throw new Error('the rollout takes longer than five minutes');
}, 300_000);

for (let at = 0; at < estate.targets.length; at += COURSE.batch)
  await Promise.all(estate.targets.slice(at, at + COURSE.batch).map(replace));
clearTimeout(tooLong);

async function replace(target: Target): Promise<void> {
  await haproxy(`set server ${POOL}/${target.name} state drain`);
  while (Number((await statOf(target))[4]) > 0) await wait(100);
  const client = await open(target);
  await exec(client, 'if [ -e app/current ]; then app/current/bin/stop; fi');
  const folder = `app/releases/${version}`;
  const archive = `app/${version}.tar.gz`;
  await exec(
    client,
    `mkdir -p ${folder} && cat >${archive} && echo '${sha256}  ${archive}' | sha256sum -c --status`,
    body,
  );
  await exec(
    client,
    `tar -xzf ${archive} -C ${folder} && rm ${archive} && ln -sfn releases/${version} app/current`,
  );
  await exec(client, 'app/current/bin/start');
  client.end();
  await isHealthy(target);
  await haproxy(`set server ${POOL}/${target.name} state ready`);
  while (!(await statOf(target))[17]?.startsWith('UP')) await wait(100);
}

function open({ address, sshPort }: Target): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client().once('ready', () => resolve(client)).once('error', reject);
    client.once('connect', () => client.setNoDelay(true));
    const { user: username } = estate;
    const authHandler = [{ type: 'publickey' as const, username, key: privateKey }];
    client.connect({ host: address, port: sshPort, username, authHandler, hostVerifier: () => true });
  });
}

function exec(client: Client, command: string, input?: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec(`cd && ${command}`, (error, channel) => {
      if (error) return reject(error);
      let said = '';
      channel.on('data', () => {});
      channel.stderr.on('data', (data: Buffer) => {
        said += String(data);
      });
      channel.on('close', (code: number | null) =>
        code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${said}`)),
      );
      channel.end(input);
    });
  });
}

async function isHealthy({ address, port }: Target): Promise<void> {
  for (let passes = 0; passes < COURSE.passes; ) {
    const answer = await fetch(`http://${address}:${port}/health`, {
      headers: { connection: 'close' },
    }).catch(() => null);
    const seen = answer?.ok ? ((await answer.json()) as { version?: string }) : null;
    passes = seen?.version === version ? passes + 1 : 0;
    if (passes < COURSE.passes) await wait(COURSE.intervalMs);
  }
}

/** The fields of `show stat` of a server: 4 is scur, 17 the status. */
async function statOf({ name }: Target): Promise<readonly string[]> {
  const rows = (await haproxy(`show stat ${POOL} 4 -1`)).split('\n').map((row) => row.split(','));
  return rows.find(([, server]) => server === name) ?? [];
}

function haproxy(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let reply = '';
    connect(estate.socket)
      .on('data', (data) => {
        reply += String(data);
      })
      .on('end', () => resolve(reply))
      .on('error', reject)
      .write(`${command}\n`);
  });
}
