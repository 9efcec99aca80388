import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Driving } from '../../test/support/driving.ts';
import { samplePlan } from '../../test/support/sample-plan.ts';
import type { CommandBody } from '../domain/command.ts';
import { commandId, type DeploymentId, deploymentId } from '../domain/ids.ts';
import type { Token } from '../domain/token.ts';
import { planHash } from '../plan/hash.ts';

const PLAN = { ...samplePlan({ batches: [[0]] }), approvals: { count: 2, limitMs: 60_000 } };
const HASH = planHash(PLAN);

/** A deployment that waits for two approvals, made from one record. */
async function waiting(driving: Driving): Promise<DeploymentId> {
  await change(driving);
  const id = deploymentId('d1');
  await driving.store.journal.create({
    ...{ id, plan: PLAN, planHash: HASH, by: 'ann', reason: 'test' },
    madeFrom: [{ kind: 'token', key: 'a', version: 1 }],
  });
  return id;
}

const value: Token = {
  ...{ id: 'a', name: 'a', role: 'view', hash: '' },
  ...{ createdAt: 1, expiresAt: null, revokedAt: null },
};
const change = ({ store }: Driving) => store.records.apply([{ kind: 'token', key: 'a', value }]);

async function say(driving: Driving, deployment: DeploymentId, by: string, body: CommandBody): Promise<void> {
  await driving.store.journal.submit([{ deployment, command: { id: commandId(by), by, ...body } }]);
}

const approval: CommandBody = { kind: 'approve', planHash: HASH, reason: 'read it' };
const kindsOf = async (driving: Driving, id: DeploymentId) =>
  (await driving.events(id)).map(({ event }) => event.kind);

test('a driver starts what is approved, and rests before that', async () => {
  const driving = new Driving();
  const id = await waiting(driving);
  const driver = driving.driver('a');
  await driving.settle(driver);
  assert.equal(await driving.status(id), 'pending');
  await say(driving, id, 'bob', approval);
  await driving.settle(driver);
  assert.equal(await driving.status(id), 'pending');
  await say(driving, id, 'eve', approval);
  await driving.settle(driver);
  assert.equal(await driving.status(id), 'succeeded');
  assert.deepEqual(driving.faults, []);
});

for (const takesOver of [false, true]) {
  const who = takesOver ? 'another driver' : 'the driver';
  test(`what changes between the approvals and the turn in which they count voids them, whatever ${who} knows`, async () => {
    const driving = new Driving();
    const id = await waiting(driving);
    const first = driving.driver('a');
    await say(driving, id, 'bob', approval);
    await driving.settle(first);
    await say(driving, id, 'eve', approval);
    await say(driving, id, 'root', { kind: 'promote', reason: 'now' });
    await change(driving);
    if (takesOver) driving.now += 60_000 - 1;
    const driver = takesOver ? driving.driver('b') : first;
    await driving.settle(driver);
    assert.equal(await driving.status(id), 'pending');
    assert.deepEqual(await kindsOf(driving, id), [
      ...['deployment.created', 'deployment.approved', 'approvals.asked'],
      ...['command.refused', 'command.refused'],
    ]);
    await say(driving, id, 'zoe', approval);
    await driving.settle(driver);
    assert.equal((await kindsOf(driving, id)).at(-1), 'command.refused');
    driving.now += 60_000;
    await driving.settle(driver);
    assert.equal(await driving.status(id), 'aborted');
    assert.deepEqual(driving.faults, []);
  });
}
