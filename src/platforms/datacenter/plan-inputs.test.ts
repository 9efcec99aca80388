import assert from 'node:assert/strict';
import { test } from 'node:test';
import { project, projectEnvironment, request, targets } from '../../../test/fixtures/configuration.ts';
import { capabilityOf } from '../../actions/define.ts';
import { COMMON_ACTIONS } from '../../actions/registry.ts';
import { deploymentId } from '../../domain/ids.ts';
import type { Input, Plan } from '../../domain/plan.ts';
import type { JsonObject } from '../../lib/json.ts';
import { buildPlan } from '../../plan/build-plan.ts';
import type { PlanRequest } from '../../plan/request.ts';
import { planRollback } from '../../plan/rollback.ts';
import { DATACENTER_ACTIONS } from './actions.ts';
import { datacenter } from './plan.ts';

const actions = new Map(
  [...COMMON_ACTIONS, ...DATACENTER_ACTIONS].map((action) => [capabilityOf(action), action]),
);

/** The inputs of a step as the engine would hand them over for the first target. */
function resolved(
  { targets: [target], releases }: Plan,
  inputs: Readonly<Record<string, Input>>,
): JsonObject {
  assert.ok(target);
  const resolve = (input: Input) => {
    if ('value' in input) return input.value;
    if ('target' in input) return target.facts[input.target] ?? null;
    if ('members' in input) return target.members;
    if ('asFound' in input) return target.members.map((member) => ({ ...member, asFound: { weight: 1 } }));
    if ('release' in input) return target.release === null ? null : (releases[target.release] ?? null);
    throw new Error('the sequences of the datacenter take no outputs');
  };
  return JSON.parse(
    JSON.stringify(Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, resolve(input)]))),
  );
}

/** Every step that a plan does has an action, which takes its inputs. */
function checkSteps(plan: Plan): void {
  const batches = plan.stages.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.batches));
  for (const { sequence } of batches) {
    for (const { action: capability, inputs, id } of plan.sequences[sequence] ?? []) {
      const action = actions.get(capability);
      assert.ok(action, `no action ${capability}`);
      assert.doesNotThrow(() => action.inputs.parse(resolved(plan, inputs)), `${id} of ${sequence}`);
    }
  }
}

/** The steps of a plan, and those of its rollback where there is one. */
function fits(name: string, parts: Partial<PlanRequest>): void {
  test(`the actions take the inputs that ${name} and its rollback give them`, () => {
    const { plan } = buildPlan(request(parts), datacenter);
    checkSteps(plan);
    const touched = plan.targets.map((_, target) => ({ target, held: target === 0 }));
    const rollback = planRollback({ id: deploymentId('d-1'), plan, touched }, 'why');
    if (rollback) checkSteps(rollback);
  });
}

fits('a deployment', {});
fits('a restart', { verb: 'restart', release: null });
fits('a hard deployment', { hard: true });
fits('a first deployment', {
  fleet: [],
  pools: [
    {
      balancer: 'lb:9999',
      pool: 'web',
      members: targets(8).map(({ name }) => ({ member: String(name), admin: 'enabled', health: 'down' })),
    },
  ],
});
fits('a project with own commands and a TCP check', {
  project: project({
    runAs: 'web',
    commands: { start: ['up'], stop: ['down'], install: ['install'] },
    env: { TOKEN: { source: 'env', name: 'TOKEN' } },
    health: { check: { kind: 'tcp' } },
  }),
});
fits('a health check by command, with variables per target', {
  project: project({ health: { check: { kind: 'command', argv: ['bin/check'] } } }),
  projectEnvironment: projectEnvironment({ targets: targets(8, () => ({ env: { ROLE: 'a' } })) }),
});
