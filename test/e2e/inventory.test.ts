import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { Output } from '../../src/api/contract.ts';
import type { ErrorBody } from '../../src/domain/errors.ts';
import { type EdgeEnd, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, POOL, PROJECT } from '../support/estate-configuration.ts';
import { type ListServer, startListServer } from '../support/list-server.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;
const PASSWORD = 'only-the-list-knows';
const MEMBER = { member: `${POOL}/{name}` };

describe('targets from an inventory, on real hosts behind a real HAProxy', {
  skip: sshd.skip ?? haproxy.skip ?? false,
}, () => {
  let estate: Estate;
  let server: ListServer;
  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '', network: '127.72.41', hosts: 2 },
      ...{ versions: ['v1', 'v2'], minInService: 0, strategy: 'quick', project: QUICK },
      ...{ samePort: true, env: { LIST_PASSWORD: PASSWORD } },
    });
    server = await startListServer();
  });
  after(async () => {
    await server?.stop();
    await estate?.stop();
  });

  const file = (name: string) => join(estate.dataFolder, name);
  const from = async (targets: object): Promise<EdgeEnd> => {
    const place = { kind: 'project-environment', project: PROJECT, environment: ENVIRONMENT };
    await writeFile(file('place.yaml'), JSON.stringify({ ...place, strategy: 'quick', targets }));
    return estate.edge('apply', '-f', file('place.yaml'), '--json');
  };
  const deploy = async (version: string) => {
    expectDone(await estate.edge('deploy', ...PLACE, version, '--yes', '--json'));
    assert.deepEqual(await estate.served(), [version, version]);
  };
  const errorOf = (end: EdgeEnd) => {
    const { error } = jsonOf(end) as { readonly error: ErrorBody };
    assert.ok(!JSON.stringify(error).includes(PASSWORD));
    return { status: end.status, code: error.code, message: error.message, where: error.where };
  };
  const planned = (version: string) => estate.edge('plan', ...PLACE, version, '--json');
  const rows = () =>
    estate.targets.map(({ name, sshd: { address, port }, appPort }) => ({
      ...{ name, address, sshPort: port, port: appPort },
    }));
  const csv = () =>
    ['name,address,sshPort,port', ...rows().map((row) => Object.values(row).join(',')), ''].join('\n');
  /** A CSV file lists the same hosts. */
  const listed = async () => {
    await writeFile(file('hosts.csv'), csv());
    return { from: 'file', path: file('hosts.csv'), defaults: MEMBER };
  };

  test('«targets from the members of a pool» are drained, changed and returned where HAProxy says that they are', async () => {
    const sshPort = estate.targets[0]?.sshd.port;
    expectDone(await from({ from: 'pool', pool: POOL, defaults: { sshPort } }));
    const { targets, origin } = jsonOf(await estate.edge('targets', ...PLACE, '--json')) as Output<'targets'>;
    assert.equal(origin, `the pool ${POOL}`);
    assert.deepEqual(
      targets.map(({ name, address, port, members }) => [name, address, port, members.length]),
      rows().map(({ name, address, port }) => [name, address, port, 1]),
    );
    await deploy('v1');
    const text = expectDone(await estate.edge('targets', ...PLACE)).stdout;
    assert.match(text, /^2 targets from the pool web$/m);
  });

  test('«targets from a file», and one with a mistake stops everything, with the line', async () => {
    expectDone(await from(await listed()));
    await deploy('v2');
    await writeFile(file('hosts.csv'), `${csv()}$(reboot),10.0.0.1,22,80\n`);
    const { message, ...error } = errorOf(await planned('v1'));
    assert.deepEqual(error, {
      ...{ status: 5, code: 'inventory_invalid' },
      where: { file: file('hosts.csv'), line: 4, path: 'name', target: '$(reboot)' },
    });
    assert.match(message, /line 4: name: a name has/);
    assert.equal(errorOf(await from({ from: 'file', path: file('hosts.csv') })).code, 'inventory_invalid');
  });

  test('«targets from a command, such as an inventory of Ansible»', async () => {
    const hostvars = Object.fromEntries(
      rows().map(({ name, address, sshPort, port }) => [
        name,
        { ansible_host: address, ansible_port: sshPort, edge_port: port },
      ]),
    );
    const list = { _meta: { hostvars }, web: { hosts: Object.keys(hostvars) }, all: { children: ['web'] } };
    await writeFile(file('ansible.json'), JSON.stringify(list));
    const argv = ['cat', file('ansible.json')];
    expectDone(await from({ from: 'command', argv, format: 'ansible', group: 'web', defaults: MEMBER }));
    await deploy('v1');
    expectDone(await from({ from: 'command', argv: ['sh', '-c', 'echo no host >&2; exit 4'] }));
    const { status, code, message } = errorOf(await planned('v2'));
    assert.deepEqual([status, code], [7, 'inventory_unreachable']);
    assert.match(message, /the command sh: it ended with exit status 4: no host$/);
  });

  test('«targets from an address» with a password; without it, or when it is slow, empty or down, nothing is planned', async () => {
    const credentials = { username: 'edge', password: { source: 'env', name: 'LIST_PASSWORD' } };
    const wants = `Basic ${Buffer.from(`edge:${PASSWORD}`).toString('base64')}`;
    const http = { from: 'http', url: server.url, timeoutMs: 30_000, defaults: MEMBER };
    server.answers({ wants, body: JSON.stringify(rows()) });
    expectDone(await from(http));
    assert.match(errorOf(await planned('v2')).message, /status 401: it refuses to tell$/);
    expectDone(await from({ ...http, credentials }));
    await deploy('v2');
    const refused = async () => errorOf(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    server.answers({ wants, body: '[]' });
    const empty = await refused();
    assert.deepEqual([empty.status, empty.code], [5, 'inventory_invalid']);
    assert.match(empty.message, /it gives 0 targets, where at least 1 are expected/);
    server.answers({ silent: true });
    expectDone(await from({ ...http, credentials, timeoutMs: 500 }));
    const slow = await refused();
    assert.deepEqual([slow.status, slow.code], [7, 'inventory_unreachable']);
    assert.match(slow.message, /no answer within 500 ms/);
    await server.stop();
    const down = await refused();
    assert.deepEqual([down.status, down.code], [7, 'inventory_unreachable']);
    assert.deepEqual(await estate.served(), ['v2', 'v2']);
    const { stdout } = expectDone(await estate.edge('status', ...PLACE));
    assert.match(stdout, /2 targets from http:\/\/127\.0\.0\.1:\d+\/hosts, read /);
    assert.match(stdout, /runs {6}v2 on 2/);
  });
});

/** A strategy of its own document, so that the place can be written anew. */
const QUICK = '---\nkind: strategy\nname: quick\nbatches: [100%]\nsettleMs: 0';
