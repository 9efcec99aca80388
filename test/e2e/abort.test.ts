import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { requireService } from '../../scripts/services.ts';
import type { DeploymentRow, ProjectEnvironmentStatus, TargetView } from '../../src/api/contract.ts';
import type { ErrorBody } from '../../src/domain/errors.ts';
import { type EdgeEnd, jsonOf } from '../support/edge-process.ts';
import { type Estate, expectDone, openEstate } from '../support/estate.ts';
import { ENVIRONMENT, POOL, PROJECT } from '../support/estate-configuration.ts';
import { ask, serversOf } from '../support/observer.ts';
import { processesWith } from '../support/processes.ts';
import { until } from '../support/until.ts';

const sshd = requireService('sshd');
const haproxy = requireService('haproxy');
const skip = sshd.skip ?? haproxy.skip ?? false;

const PLACE = [PROJECT, ENVIRONMENT] as const;
const PATIENCE_MS = 60_000;
const HANGS = 'edge-e2e-hangs';

/**
 * Starts the application; a file beside it makes it fail, wait, or hang for a minute with a child in a session of its
 * own, all of them deaf to TERM.
 */
const START = `
if [ -e "$HOME/fail" ]; then echo 'no start today' >&2; exit 3; fi
while [ -e "$HOME/hold" ]; do sleep 0.1; done
if [ -e "$HOME/hang" ]; then
  trap '' TERM
  export HANGS="${HANGS} $HOME"
  setsid sh -c 'sleep 60; exit 0' &
  sleep 60 &
  wait
  exit 4
fi
if [ -e "$HOME/lies" ]; then current/bin/start; exit 5; fi
exec current/bin/start
`;

describe('a person steers a deployment over real SSH and HAProxy with the CLI', { skip }, () => {
  let estate: Estate;

  before(async () => {
    estate = await openEstate({
      sshdPath: sshd.path ?? '',
      haproxyPath: haproxy.path ?? '',
      network: '127.72.2',
      hosts: 3,
      versions: ['v1', 'v2', 'v3'],
      minInService: 1,
      strategy: '{ canary: 0, batches: 1, parallel: 1, settleMs: 0 }',
      project: `commands: { start: [sh, -c, 'exec sh "$HOME/start"'] }\ntimeouts: { graceMs: 1000 }`,
    });
    for (const { sshd: host } of estate.targets) await writeFile(join(host.home, 'start'), START);
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
  });
  after(() => estate?.stop());
  afterEach(async () => {
    for (const name of ['fail', 'hold', 'hang', 'lies'])
      for (const index of estate.targets.keys()) await rm(fileOf(index, name), { force: true });
  });

  const fileOf = (index: number, name: string) => join(estate.targets[index]?.sshd.home ?? '', name);
  const marked = () => processesWith(`HANGS=${HANGS} ${estate.targets[0]?.sshd.home}`);
  const members = () => serversOf(estate.haproxy.socket, POOL);
  const begin = async (...words: readonly string[]) =>
    deploymentOf<string>(expectDone(await estate.edge(...words, '--yes', '--detach', '--json')));
  const look = async (id: string) =>
    jsonOf(expectDone(await estate.edge('status', id, '--json'))) as {
      deployment: DeploymentRow;
      view: { targets: readonly TargetView[] };
    };
  const place = async () => {
    const status = jsonOf(expectDone(await estate.edge('status', ...PLACE, '--json')));
    const [found] = (status as { projectEnvironments: readonly ProjectEnvironmentStatus[] })
      .projectEnvironments;
    assert.ok(found);
    return found;
  };

  test('abort ends a command that ignores TERM, with proof, parks its target, and return brings it back', async () => {
    await ask(estate.haproxy.socket, `set server ${POOL}/web-1 weight 30`);
    await writeFile(fileOf(0, 'hang'), '');
    const id = await begin('deploy', ...PLACE, 'v2');
    await until('the start of web-1 hangs', async () => (await marked()).length >= 3, PATIENCE_MS);
    assert.equal((await groupsOf(await marked())).size, 2, 'one process has left the group of the others');

    const second = await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json');
    assert.equal(second.status, 6);
    assert.equal(errorOf(second).code, 'environment_locked');
    assert.match(errorOf(second).message, new RegExp(`held by the deployment ${id} .*by `));

    const aborted = expectDone(await estate.edge('abort', id, '--reason', 'it hangs', '--json'));
    assert.deepEqual(await marked(), [], 'nothing of the command is left');
    assert.equal(deploymentOf<DeploymentRow>(aborted).status, 'aborted');
    assert.deepEqual((await members()).get('web-1')?.isServing, false);
    assert.deepEqual(await estate.served(), ['nothing', 'v1', 'v1']);

    const { active, last, parked } = await place();
    assert.deepEqual([active, last?.id], [null, id]);
    assert.deepEqual(parked, [
      {
        target: 'web-1',
        deployment: id,
        by: last?.by,
        reason: 'it hangs',
        members: [
          { balancer: 'dc/front', pool: POOL, member: 'web-1', asFound: { adminState: 0, weight: 30 } },
        ],
      },
    ]);

    await rm(fileOf(0, 'hang'));
    expectDone(await estate.edge('return', ...PLACE, '--json'));
    assert.deepEqual((await members()).get('web-1'), { isServing: true, adminState: 0, weight: 30 });
    assert.deepEqual((await place()).parked, []);
    assert.deepEqual(await estate.served(), ['v2', 'v1', 'v1']);
  });

  test('a target that an aborted deployment worked on counts as unproven, so that the old release is put back', async () => {
    const { releases } = await place();
    assert.deepEqual(
      releases.map(({ version, targets, unproven }) => [version, targets, unproven]),
      [['v1', 3, 1]],
    );
    expectDone(await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json'));
    assert.deepEqual(await estate.served(), ['v1', 'v1', 'v1']);
  });

  test('pause lets a started target finish and starts no other, and resume goes on to the end', async () => {
    await writeFile(fileOf(0, 'hold'), '');
    const id = await begin('deploy', ...PLACE, 'v2');
    await until(
      'web-1 is being started',
      async () => (await look(id)).view.targets[0]?.step === 'start',
      PATIENCE_MS,
    );
    const pause = estate.start('pause', id, '--json');
    await until('it is paused', async () => (await look(id)).deployment.status === 'paused', PATIENCE_MS);
    await rm(fileOf(0, 'hold'));
    const paused = deploymentOf<DeploymentRow>(expectDone(await pause.ended));
    assert.deepEqual([paused.status, paused.counts.succeeded, paused.counts.active], ['paused', 1, 0]);
    assert.deepEqual(await estate.served(), ['v2', 'v1', 'v1']);
    const resumed = deploymentOf<DeploymentRow>(expectDone(await estate.edge('resume', id, '--json')));
    assert.equal(resumed.status, 'succeeded');
    assert.deepEqual(await estate.served(), ['v2', 'v2', 'v2']);
  });

  test('a failed target is retried, and another one skipped, parked and returned', async () => {
    await writeFile(fileOf(0, 'fail'), '');
    await writeFile(fileOf(1, 'fail'), '');
    const first = estate.start('deploy', ...PLACE, 'v3', '--yes', '--json');
    await until('the deployment has begun', async () => (await place()).active !== null, PATIENCE_MS);
    const id = (await place()).active?.id ?? '';
    const pausedAt = (name: string) =>
      until(
        `it is paused by the failure of ${name}`,
        async () => {
          const { deployment, view } = await look(id);
          const target = view.targets.find((each) => each.name === name);
          return deployment.status === 'paused' && target?.status === 'failed';
        },
        PATIENCE_MS,
      );
    await pausedAt('web-1');
    await rm(fileOf(0, 'fail'));
    expectDone(await estate.edge('retry', id, 'web-1', '--detach', '--json'));
    assert.equal((await first.ended).status, 1);
    const second = await estate.edge('resume', id, '--json');
    assert.deepEqual([second.status, deploymentOf<DeploymentRow>(second).status], [1, 'paused']);
    await pausedAt('web-2');
    expectDone(await estate.edge('skip', id, 'web-2', '--reason', 'not today', '--json'));
    const ended = deploymentOf<DeploymentRow>(expectDone(await estate.edge('resume', id, '--json')));
    assert.deepEqual([ended.status, ended.exceptions], ['succeeded', 1]);
    const { parked } = await place();
    assert.deepEqual(
      parked.map(({ target, deployment, reason }) => [target, deployment, reason]),
      [['web-2', id, 'not today']],
    );
    await rm(fileOf(1, 'fail'));
    expectDone(await estate.edge('return', ...PLACE, 'web-2', '--json'));
    assert.deepEqual(await estate.served(), ['v3', 'v3', 'v3']);
    assert.deepEqual((await place()).parked, []);
  });

  test('«one target is excluded, and the deployment goes on»: one while its start hangs, one before its turn', async () => {
    await writeFile(fileOf(0, 'hang'), '');
    const id = await begin('deploy', ...PLACE, 'v2');
    await until('web-1 hangs', async () => (await marked()).length >= 3, PATIENCE_MS);
    expectDone(await estate.edge('skip', id, 'web-2', '--reason', 'is being repaired', '--json'));
    expectDone(await estate.edge('skip', id, 'web-1', '--reason', 'hangs', '--json'));
    await until('the deployment ends', async () => (await look(id)).deployment.ended, PATIENCE_MS);
    assert.deepEqual(await marked(), [], 'nothing of it runs any more');
    const { deployment, view } = await look(id);
    assert.deepEqual([deployment.status, deployment.exceptions], ['succeeded', 2]);
    assert.deepEqual(
      view.targets.map(({ status, parked }) => [status, parked]),
      [
        ['skipped', true],
        ['skipped', false],
        ['succeeded', false],
      ],
    );
    assert.deepEqual(await estate.served(), ['nothing', 'v3', 'v2']);
    await rm(fileOf(0, 'hang'));
    expectDone(await estate.edge('return', ...PLACE, 'web-1', '--json'));
    assert.deepEqual(await estate.served(), ['v2', 'v3', 'v2']);
  });

  test("«a step's result is set by hand with a reason, and the record says so»; what follows is verified", async () => {
    await writeFile(fileOf(0, 'lies'), '');
    const first = await estate.edge('deploy', ...PLACE, 'v1', '--yes', '--json');
    const { id, status } = deploymentOf<DeploymentRow>(first);
    assert.equal(status, 'paused');
    const words = ['--step', 'start', '--as', 'succeeded', '--reason', 'it runs; the script lies'];
    expectDone(await estate.edge('resolve', id, 'web-1', ...words, '--detach', '--json'));
    const ended = deploymentOf<DeploymentRow>(expectDone(await estate.edge('resume', id, '--json')));
    assert.deepEqual([ended.status, ended.exceptions], ['succeeded', 0]);
    assert.deepEqual(await estate.served(), ['v1', 'v1', 'v1']);
    const [web1] = (await look(id)).view.targets;
    assert.match(web1?.byHand ?? '', /^start set to succeeded by .*: it runs; the script lies$/);
  });
});

/** `{"deployment": …}`: an id, or a row. */
const deploymentOf = <T>(end: EdgeEnd): T => (jsonOf(end) as { readonly deployment: T }).deployment;
const errorOf = (end: EdgeEnd): ErrorBody => (jsonOf(end) as { readonly error: ErrorBody }).error;

async function groupsOf(processes: readonly { readonly pid: number }[]): Promise<ReadonlySet<string>> {
  const stats = await Promise.all(processes.map(({ pid }) => readFile(`/proc/${pid}/stat`, 'latin1')));
  return new Set(stats.map((stat) => stat.replace(/^.*\) /s, '').split(' ')[2] ?? ''));
}
