import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { test } from 'node:test';
import { cli } from '../../test/support/cli-process.ts';
import type { DemoOptions, ServeOptions, WorkOptions } from './environment.ts';

test('without a command the commands are shown, and that is no error', async () => {
  const { status, stdout, stderr } = await cli([]);
  assert.equal(status, 0);
  assert.match(stdout, /Usage: edge[\s\S]*deploy[\s\S]*Options of every command/);
  assert.equal(stderr, '');
});

test('the version is one line', async () => {
  assert.deepEqual(await cli(['--version']), { status: 0, stdout: '1.2.3\n', stderr: '' });
});

test('help of a command is the same by all its ways', async () => {
  const ways = [
    ['help', 'releases', 'create'],
    ['releases', 'create', '--help'],
    ['releases', 'create', '-h'],
  ];
  const texts = await Promise.all(ways.map(async (way) => (await cli(way)).stdout));
  assert.match(texts[0] ?? '', /^Usage: edge releases create/);
  assert.deepEqual(new Set(texts).size, 1);
});

test('a mistyped command or option is refused with what was meant', async () => {
  const command = await cli(['deploi', 'shop', 'prod', '2']);
  assert.equal(command.status, 2);
  assert.equal(command.stderr, "error usage_invalid: Unknown command 'deploi'\n  Did you mean deploy?\n");
  const option = await cli(['deploy', 'shop', 'prod', '2', '--hrd']);
  assert.equal(option.status, 2);
  assert.match(option.stderr, /Unknown option '--hrd'\n {2}Did you mean --hard\?/);
  assert.equal((await cli(['help', 'nope'])).status, 2);
});

test('what is missing is named with the usage of that command', async () => {
  const missing = await cli(['diff', 'shop', 'prod']);
  assert.equal(missing.status, 2);
  assert.match(
    missing.stderr,
    /argument 'version'\n {2}Usage: edge diff \[options\] <project> <environment> <version>/,
  );
  const nothing = await cli(['deploy', 'shop', 'prod']);
  assert.equal(nothing.status, 2);
  assert.match(nothing.stderr, /a version, or --from and an environment/);
  assert.match((await cli(['token'])).stderr, /A command is missing behind `edge token`/);
  assert.match((await cli(['releases'])).stderr, /A project is missing/);
});

test('values that cannot be are refused before a server is asked', async () => {
  const lines = [
    ['plan', 'a', 'b', '--verb', 'dance'],
    ['history', '--limit', '0'],
    ['deploy', 'a', 'b', '1', '--targets', ','],
    ['releases', 'create', 'a', '1', '--artifact', 'no-path'],
    ['releases', 'create', 'a', '1', '--commit', 'abc1234'],
    ['token', 'create', 'x', '--role', 'king'],
    ['token', 'create', 'x', '--role', 'view', '--days', 'soon'],
    ['worker', '--parallel', 'many'],
    ['status', 'a', 'b', 'c'],
  ];
  for (const line of lines) {
    const { status, stdout, stderr } = await cli(line, { connect: () => assert.fail('a server was asked') });
    assert.deepEqual([status, stdout], [2, ''], line.join(' '));
    assert.match(stderr, /^error usage_invalid: /, line.join(' '));
  }
});

test('with --json an error is one value on standard output, and nothing else', async () => {
  for (const line of [
    ['deploi', '--json'],
    ['--json', 'token'],
    ['status', '--json'],
  ]) {
    const { status, stdout, stderr } = await cli(line);
    assert.notEqual(status, 0);
    assert.equal(stderr, '');
    const { error } = JSON.parse(stdout);
    assert.ok(error.code && error.message && error.hint);
  }
});

test('what follows two dashes is an argument and no option', async () => {
  const { stdout, stderr } = await cli(['deploy', '--', '--json']);
  assert.equal(stdout, '');
  assert.match(stderr, /Missing required argument 'environment'/);
});

test('a server that does not answer is named, with the exit status of the catalogue', async () => {
  const { status, stderr } = await cli(['history', '--server', 'http://127.0.0.1:1']);
  assert.equal(status, 8);
  assert.match(stderr, /^error server_unreachable: No Edge server answers at http:\/\/127\.0\.0\.1:1/);
});

test('the server of the data folder is used only if no server is named, and is closed at the end', async () => {
  const seen: unknown[] = [];
  const connect = async (given: object) => {
    seen.push(given);
    return { url: 'http://127.0.0.1:1', embedded: true, close: async () => void seen.push('closed') };
  };
  await cli(['history', '--server', 'http://127.0.0.1:1'], { connect });
  assert.deepEqual(seen, []);
  await cli(['history', '--data', '/data'], { connect, settings: { dataFolder: '/other' } });
  assert.deepEqual(seen, [{ dataFolder: '/data' }, 'closed']);
});

test('the roles get their options, from the line first and then from the settings', async () => {
  const seen: (ServeOptions | WorkOptions | DemoOptions)[] = [];
  const role = async (options: ServeOptions | WorkOptions | DemoOptions) => {
    seen.push(options);
    return 7;
  };
  const options = {
    roles: { serve: role, work: role, demo: role },
    settings: { token: 't', dataFolder: '/d' },
  };
  assert.equal((await cli(['server', '--listen', '127.0.0.1:1', '--no-worker'], options)).status, 7);
  await cli(['--server', 'http://s', 'worker', '--pool', 'east', '--parallel', '3', '--token', 'u'], options);
  await cli(['demo', '--once', '--json'], options);
  assert.deepEqual(seen, [
    { dataFolder: '/d', listen: '127.0.0.1:1', works: false },
    { dataFolder: '/d', server: 'http://s', token: 'u', pool: 'east', parallel: 3 },
    { once: true, json: true },
  ]);
});

test('files that cannot be read are named before a server is asked', async () => {
  await using folder = await mkdtempDisposable('/tmp/edge-cli-');
  const { status, stderr } = await cli(['apply', '-f', 'missing.yaml'], { folder: folder.path });
  assert.equal(status, 2);
  assert.match(stderr, /^error config_unreadable: missing\.yaml cannot be read: .*\n {2}at missing\.yaml\n/);
  assert.match(
    (await cli(['apply', '-f', '.'], { folder: folder.path })).stderr,
    /there is no YAML file in it/,
  );
});
