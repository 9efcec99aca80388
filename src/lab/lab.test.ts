import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect, exec, loginOf } from '../../test/support/ssh-exec.ts';
import { until } from '../../test/support/until.ts';
import { Lab } from './lab.ts';
import { processesOf } from './ssh-host-processes.ts';

let folder: string;
before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'edge-lab-')));
});
after(() => rm(folder, { recursive: true }));

test('a lab names its hosts, deals them to zones, and each has an address, ports and a folder of its own', async () => {
  const lab = await Lab.start({ folder: join(folder, 'zones'), hosts: 5, zones: ['a', 'b'] });
  assert.deepEqual(
    lab.hosts.map((host) => `${host.name} ${host.zone}`),
    ['web-1 a', 'web-2 a', 'web-3 a', 'web-4 b', 'web-5 b'],
  );
  for (const what of ['folder', 'appUrl'] as const) {
    assert.equal(new Set(lab.hosts.map((host) => host[what])).size, 5);
  }
  const seen = await Promise.all(
    lab.hosts.map(async (host) => {
      const client = await connect(await loginOf(host));
      const { stdout } = await exec(client, 'pwd; cat app.env');
      client.end();
      return stdout.toString();
    }),
  );
  await lab.stop();
  assert.deepEqual(
    seen,
    lab.hosts.map(
      (host) => `${host.folder}\nNODE=${process.execPath}\nADDRESS=${host.address}\nPORT=${host.appPort}\n`,
    ),
  );
  const known = await readFile(lab.knownHosts, 'utf8');
  assert.equal(known.trim().split('\n').length, 5);
});

test('two labs at once share no port', async () => {
  const first = await Lab.start({ hosts: 2, zones: ['a'], folder: join(folder, 'first') });
  const second = await Lab.start({ hosts: 2, zones: ['a'], folder: join(folder, 'second') });
  await Promise.all([first.stop(), second.stop()]);
  const places = [...first.hosts, ...second.hosts].flatMap((host) => [
    `${host.address}:${host.port}`,
    host.appUrl,
  ]);
  assert.equal(new Set(places).size, 8);
});

test('starts are counted over all hosts, and what started twice is named', async () => {
  const lab = await Lab.start({ folder: join(folder, 'count'), hosts: 2, zones: ['a'] });
  await lab.stop();
  const [one, two] = lab.hosts;
  assert.ok(one && two);
  await appendFile(join(one.folder, 'started.log'), 't1 sh\nt2 sh\n');
  await appendFile(join(two.folder, 'started.log'), 't3 sh\nt2 sh\n');
  const { starts, startedMoreThanOnce } = await lab.countStarts();
  assert.deepEqual(
    [...starts],
    [
      ['t1', 1],
      ['t2', 2],
      ['t3', 1],
    ],
  );
  assert.deepEqual(startedMoreThanOnce, ['t2']);
});

test('a host writes down each command that a detached task starts, and nothing else', {
  skip: process.platform !== 'linux',
}, async () => {
  const lab = await Lab.start({ folder: join(folder, 'record'), hosts: 1, zones: ['a'] });
  const [host] = lab.hosts;
  assert.ok(host);
  const client = await connect(await loginOf(host));
  await exec(client, 'setsid -- true; export EDGE_TASK_ID=t7; setsid sh -c true; setsid -- sh -c true');
  client.end();
  assert.deepEqual([...(await lab.countStarts()).starts], [['t7', 1]]);
  await lab.stop();
});

for (const how of ['SIGTERM', 'SIGINT'] as const) {
  test(`${how} to a lab leaves no process of its hosts`, { skip: process.platform !== 'linux' }, async () => {
    const { child, host, exited } = await labInItsOwnProcess(how);
    child.kill(how);
    const [, signal] = await exited;
    assert.equal(signal, how);
    assert.deepEqual(processesOf(host), []);
  });
}

test('a lab whose process fails leaves no process of its hosts', {
  skip: process.platform !== 'linux',
}, async () => {
  const { child, host, exited } = await labInItsOwnProcess(
    'throw',
    'process.stdin.once("data", () => { throw new Error("bang") })',
  );
  child.stdin.write('now');
  const [code] = await exited;
  assert.equal(code, 1);
  assert.deepEqual(processesOf(host), []);
});

/** A lab with one host, on which a process runs that has left its session. */
async function labInItsOwnProcess(name: string, then = '') {
  const place = join(folder, name);
  const script = `
    const { Lab, stopOnSignals } = await import(${JSON.stringify(join(import.meta.dirname, 'lab.ts'))});
    const lab = await Lab.start({ folder: ${JSON.stringify(place)}, hosts: 1, zones: ['a'] });
    stopOnSignals(lab);
    process.stdout.write(JSON.stringify(lab.hosts[0]));
    ${then}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const [described] = await once(child.stdout, 'data');
  const client = await connect(await loginOf(JSON.parse(String(described))));
  await exec(client, 'setsid sleep 100 >/dev/null 2>&1 </dev/null &');
  const host = join(place, 'hosts/web-1');
  await until('the process runs', () => processesOf(host).length > 0);
  return { child, host, exited };
}
