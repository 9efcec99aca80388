import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { projectRoot } from '../../scripts/project.ts';
import { Lab } from '../../src/lab/lab.ts';
import { freePort } from '../support/free-port.ts';
import { withTemporaryFolder } from '../support/temporary-folder.ts';

const EDGE = join(projectRoot, 'bin/edge');
const CERT = join(projectRoot, 'test/fixtures/tls/device-cert.pem');
const KEY = join(projectRoot, 'test/fixtures/tls/device-key.pem');

type Running = { readonly process: ChildProcess; stop(): Promise<void> };

/** A role as a process; resolves when it has said its first line. */
async function role(args: readonly string[], environment: Record<string, string>): Promise<Running> {
  const child = spawn(EDGE, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await Promise.race([once(createInterface(child.stdout), 'line'), exited]);
  assert.equal(child.exitCode, null, `${args[0]} runs`);
  return {
    process: child,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function edge(args: readonly string[], environment: Record<string, string>): Promise<string> {
  const child = spawn(EDGE, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const out: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => out.push(data));
  const [code] = await once(child, 'close');
  const text = Buffer.concat(out).toString();
  assert.equal(code, 0, `edge ${args.join(' ')}: ${text}`);
  return text;
}

const configuration = (lab: Lab) => `
kind: project
name: tool
folder: ~/tool
commands: { start: [touch, started], stop: [touch, stopped], install: [sh, -c, 'echo "$EDGE_VERSION" >version'] }
---
kind: environment
name: far
ssh: { user: edge, identityFile: ${lab.identityFile}, knownHosts: ${lab.knownHosts} }
zones: [{ name: far, pool: far }]
---
kind: project-environment
project: tool
environment: far
strategy: { settleMs: 0 }
targets:
${lab.hosts.map(({ name, address, port }) => `  - { name: ${name}, address: ${address}, sshPort: ${port} }`).join('\n')}
`;

test('a worker of another network zone works over HTTPS with the token of its pool, and no other', async () => {
  await withTemporaryFolder(async (folder) => {
    const lab = await Lab.start({ folder: join(folder, 'lab'), hosts: 2, zones: ['far'] });
    for (const host of lab.hosts) await mkdir(join(host.folder, 'tool'));
    const url = `https://127.0.0.1:${await freePort()}`;
    const data = join(folder, 'data');
    const listen = ['--listen', url.slice('https://'.length), '--tls-cert', CERT, '--tls-key', KEY];
    const server = await role(['server', '--no-worker', '--data', data, ...listen], {});
    const admin = {
      EDGE_SERVER: url,
      EDGE_TOKEN: (await readFile(join(data, 'token'), 'utf8')).trim(),
      NODE_EXTRA_CA_CERTS: CERT,
    };
    try {
      await writeFile(join(folder, 'far.yaml'), configuration(lab));
      await edge(['apply', '-f', join(folder, 'far.yaml')], admin);
      await edge(['releases', 'create', 'tool', '1.0.0'], admin);
      const made = JSON.parse(
        await edge(['token', 'create', 'far-worker', '--role', 'worker', '--pool', 'far', '--json'], admin),
      );
      const own = { ...admin, EDGE_TOKEN: String(made.secret) };
      const worker = await role(['worker', '--pool', 'far', '--data', join(folder, 'worker')], own);
      try {
        await edge(['deploy', 'tool', 'far', '1.0.0', '--yes'], admin);
        for (const host of lab.hosts)
          assert.equal(await readFile(join(host.folder, 'tool/version'), 'utf8'), '1.0.0\n');
        await assert.rejects(edge(['status'], own), /permission|assert/i);
      } finally {
        await worker.stop();
      }
    } finally {
      await server.stop();
      await lab.stop();
    }
  });
});
