import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import { type EdgeEnd, edge, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, PROJECT } from '../support/estate-configuration.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const PLACE = [PROJECT, ENVIRONMENT] as const;
const HOSTS = 5;
const PATIENCE_MS = 60_000;

type Answer = {
  readonly status: string;
  readonly exitStatus: number | null;
  readonly reason: string;
  readonly output: string;
  readonly targets: readonly string[];
};
type Shown = {
  readonly deployment: { readonly id: string; readonly status: string; readonly reason: string };
  readonly answers: readonly Answer[];
};
type Row = {
  readonly id: string;
  readonly verb: string;
  readonly by: string;
  readonly reason: string;
  readonly status: string;
};

describe('`edge exec`: an ad-hoc command on targets', { skip: sshd.skip ?? haproxy.skip ?? false }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      ...{ sshdPath: sshd.path ?? '', haproxyPath: haproxy.path ?? '' },
      ...{ network: '127.72.15', hosts: HOSTS, versions: ['v1', 'v2'], minInService: 3 },
      strategy: '{ canary: 0, batches: 2, settleMs: 0 }',
    });
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  });
  after(() => estate?.stop());

  const exec = (...words: readonly string[]) => estate.edge('exec', ...PLACE, '--json', ...words);
  const shown = (end: EdgeEnd) => jsonOf(end) as Shown;
  const fileOf = (index: number, name: string) => join(estate.targets[index]?.sshd.home ?? '', name);
  const linesOf = async (index: number, name: string) =>
    (await readFile(fileOf(index, name), 'utf8').catch(() => '')).split('\n').filter((text) => text !== '');
  const history = async () => {
    const { deployments } = jsonOf(await estate.edge('history', ...PLACE, '--json')) as {
      deployments: readonly Row[];
    };
    return deployments;
  };

  test('«`edge exec` runs a command once on each chosen target, and shows equal answers together»', async () => {
    const script = 'echo ran >> once; echo same; if [ -e odd ]; then echo odd; exit 3; fi';
    await estate.edge('exec', ...PLACE, '--targets', 'web-4', '--yes', '--', 'touch', 'odd');
    const end = await exec('--', 'sh', '-c', script);
    assert.equal(end.status, 1, end.stderr);
    const { deployment, answers } = shown(end);
    assert.equal(deployment.status, 'failed');
    assert.deepEqual(
      answers.map(({ status, exitStatus, output, targets }) => ({ status, exitStatus, output, targets })),
      [
        {
          status: 'succeeded',
          exitStatus: 0,
          output: 'same\n',
          targets: ['web-1', 'web-2', 'web-3', 'web-5'],
        },
        { status: 'failed', exitStatus: 3, output: 'same\nodd\n', targets: ['web-4'] },
      ],
    );
    for (let index = 0; index < HOSTS; index += 1) assert.deepEqual(await linesOf(index, 'once'), ['ran']);
    const people = await estate.edge('exec', ...PLACE, '--yes', '--shell', '--', 'echo one; echo two');
    assert.equal(people.status, 0);
    assert.match(people.stdout, /^web-\[1-5\] \(5\): succeeded\n {2}one\n {2}two\n$/);
    await rm(fileOf(3, 'odd'));
  });

  test('it goes to the targets that were chosen, so many at most', async () => {
    const chosen = shown(await exec('--targets', 'web-2,web-3,web-5', '--limit', '2', '--', 'true'));
    assert.deepEqual(chosen.answers.flatMap(({ targets }) => targets).toSorted(), ['web-2', 'web-3']);
    const unknown = await exec('--targets', 'web-9', '--', 'true');
    assert.equal((jsonOf(unknown) as { error: { code: string } }).error.code, 'target_unknown');
    const noZone = await exec('--zone', 'nowhere', '--', 'true');
    assert.equal((jsonOf(noZone) as { error: { code: string } }).error.code, 'request_invalid');
  });

  test('with batches and a most of failures it stops before others begin, and a person decides', async () => {
    const end = await exec(
      '--batches',
      '2',
      '--max-failures',
      '1',
      '--',
      'sh',
      '-c',
      'echo began >> batches; false',
    );
    const { deployment, answers } = shown(end);
    assert.deepEqual([end.status, deployment.status], [1, 'paused']);
    // Whoever may look at deployments sees this, and not the command.
    assert.match(deployment.reason, /^the deployment's budget of failures is spent \(1\); web-[12]$/);
    assert.deepEqual(
      answers.map(({ status, targets }) => [status, targets]),
      [
        ['pending', ['web-3', 'web-4', 'web-5']],
        ['failed', ['web-1', 'web-2']],
      ],
    );
    assert.deepEqual(await linesOf(2, 'batches'), []);
    await estate.edge('abort', deployment.id, '--reason', 'seen enough', '--json');
  });

  test('it holds up no deployment and is held up by none, and says nothing of what runs there', async () => {
    const running = estate.start(
      'exec',
      ...PLACE,
      '--json',
      '--',
      'sh',
      '-c',
      'while [ ! -e go ]; do sleep 0.1; done; rm go; false',
    );
    await until('it is under way', async () => (await history())[0]?.status === 'running', PATIENCE_MS);
    expectDone(await estate.edge('deploy', ...PLACE, 'v2', '--yes', '--json'));
    for (let index = 0; index < HOSTS; index += 1)
      await estate.edge('exec', ...PLACE, '--targets', `web-${index + 1}`, '--yes', '--', 'touch', 'go');
    assert.equal((await running.ended).status, 1);
    assert.deepEqual(
      await estate.served(),
      Array.from({ length: HOSTS }, () => 'v2'),
    );
    const status = jsonOf(await estate.edge('status', ...PLACE, '--json')) as {
      projectEnvironments: readonly {
        last: Row;
        active: Row | null;
        releases: readonly { unproven: number; version: string }[];
      }[];
    };
    const [place] = status.projectEnvironments;
    assert.deepEqual([place?.last.verb, place?.active], ['deploy', null]);
    assert.deepEqual(
      place?.releases.map(({ version, unproven }) => [version, unproven]),
      [['v2', 0]],
    );
  });

  test('Ctrl-C ends what runs on the hosts, with proof', async () => {
    const running = estate.start('exec', ...PLACE, '--json', '--', 'sh', '-c', 'echo up > up; sleep 600');
    const isUp = async () =>
      (await Promise.all(estate.targets.map((_, index) => linesOf(index, 'up')))).every(
        ({ length }) => length > 0,
      );
    await until('it runs everywhere', isUp, PATIENCE_MS);
    running.signal('SIGINT');
    const end = await running.ended;
    assert.equal(end.status, 1, end.stderr);
    const { deployment, answers } = shown(end);
    assert.equal(deployment.status, 'aborted');
    assert.deepEqual(
      answers.map(({ status, targets }) => [status, targets.length]),
      [['aborted', HOSTS]],
    );
    assert.deepEqual(await estate.strangers(), []);
  });

  test('what does not come to its end in time is ended, and what cannot be reached is said', async () => {
    const late = shown(await exec('--targets', 'web-1', '--timeout', '2', '--', 'sleep', '600'));
    assert.match(late.answers[0]?.reason ?? '', /deadline/);
    assert.deepEqual(await estate.strangers(), []);
    const file = join(estate.dataFolder, '../estate.yaml');
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const gone = (lines.at(-1) ?? '').replace(/sshPort: \d+/, 'sshPort: 1');
    await writeFile(`${file}.gone`, [...lines.slice(0, -1), gone, ''].join('\n'));
    expectDone(await estate.edge('apply', '-f', `${file}.gone`, '--json'));
    const { answers } = shown(await exec('--', 'echo', 'here'));
    assert.deepEqual(
      answers.map(({ status, exitStatus, targets }) => [status, exitStatus, targets.length]),
      [
        ['succeeded', 0, HOSTS - 1],
        ['failed', null, 1],
      ],
    );
    assert.match(answers[1]?.reason ?? '', /127\.72\.15\..*:1/);
    expectDone(await estate.edge('apply', '-f', file, '--json'));
  });

  test('«`edge exec` is for those who may run commands, and the record has who it was»; so is what it wrote', async () => {
    const made = shown(await exec('--reason', 'who is there', '--', 'echo', 'for admins'));
    const token = async (role: string) => {
      const end = expectDone(await estate.edge('token', 'create', `a ${role}`, '--role', role, '--json'));
      return (jsonOf(end) as { secret: string }).secret;
    };
    for (const role of ['view', 'deploy']) {
      const as = { dataFolder: estate.dataFolder, env: { EDGE_TOKEN: await token(role) } };
      for (const words of [
        ['exec', ...PLACE, '--', 'true'],
        ['logs', made.deployment.id],
        ['watch', made.deployment.id],
      ]) {
        const end = await edge([...words.slice(0, 1), '--json', ...words.slice(1)], as);
        assert.equal(
          (jsonOf(end) as { error?: { code: string } }).error?.code,
          'permission_denied',
          words.join(' '),
        );
      }
    }
    const row = (await history()).find(({ id }) => id === made.deployment.id);
    assert.equal(row?.verb, 'exec');
    assert.notEqual(row?.by, '');
    const refused = await estate.edge('rollback', made.deployment.id, '--json');
    assert.equal((jsonOf(refused) as { error: { code: string } }).error.code, 'verb_refused');
  });
});
