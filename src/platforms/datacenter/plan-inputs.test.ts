import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  environment,
  project,
  projectEnvironment,
  request,
  script,
  targets,
} from '../../../test/fixtures/configuration.ts';
import { capabilityOf } from '../../actions/define.ts';
import { COMMON_ACTIONS } from '../../actions/registry.ts';
import { deploymentId } from '../../domain/ids.ts';
import type { Input, Plan } from '../../domain/plan.ts';
import { fileSecrets, plannedFiles } from '../../domain/planned-files.ts';
import { sha256 } from '../../lib/hash.ts';
import type { Json, JsonObject } from '../../lib/json.ts';
import { buildPlan } from '../../plan/build-plan.ts';
import type { PlanRequest } from '../../plan/request.ts';
import { planRollback } from '../../plan/rollback.ts';
import { DATACENTER_ACTIONS } from './actions.ts';
import { datacenter } from './plan.ts';

const actions = new Map(
  [...COMMON_ACTIONS, ...DATACENTER_ACTIONS].map((action) => [capabilityOf(action), action]),
);

/** The inputs of a step as the engine would hand them over for the first target. */
function resolved(plan: Plan, inputs: Readonly<Record<string, Input>>): JsonObject {
  const {
    targets: [target],
    releases,
  } = plan;
  assert.ok(target);
  const resolve = (input: Input): Json => {
    if ('value' in input) return input.value;
    if ('target' in input) return target.facts[input.target] ?? null;
    if ('members' in input) return target.members;
    if ('asFound' in input) return target.members.map((member) => ({ ...member, asFound: { weight: 1 } }));
    if ('script' in input) return plan.scripts?.[input.script] ?? null;
    if ('fields' in input) return resolved(plan, input.fields);
    if ('files' in input) return plannedFiles(plan, target) ?? null;
    if ('secrets' in input) return fileSecrets(plan, target);
    if ('release' in input) return target.release === null ? null : (releases[target.release] ?? null);
    if ('outcome' in input) return 'succeeded';
    if ('opened' in input) return 1_000;
    if ('force' in input) return plan.force ?? null;
    if (input.from === 'count') return 7;
    assert.deepEqual(input, { from: 'fetch', output: 'folder' });
    return '/home/web/app';
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
fits('a health check by the monitor of the balancer', {
  project: project({ health: { check: { kind: 'balancer' } } }),
});
const OWN_STEPS = {
  steps: {
    datacenter: [
      ...['guard', 'drain', 'stop', 'install'],
      {
        id: 'migrate',
        action: 'host.run@1',
        with: { argv: ['bin/migrate'], env: { DEPTH: '2' }, graceMs: 5 },
      },
      ...['start', 'verify'],
      {
        id: 'deep',
        action: 'health.verify@1',
        with: {
          check: { kind: 'http', path: '/deep', port: 81 },
          ...{ passes: 1, intervalMs: 100, windowMs: 1_000 },
        },
      },
      {
        id: 'port',
        action: 'health.verify@1',
        with: { check: { kind: 'tcp' }, passes: 1, intervalMs: 100, windowMs: 1 },
      },
      'enable',
      { id: 'rest', action: 'wait.settle@1', with: { ms: 5_000 } },
    ],
  },
};
const SCRIPTS = [
  script({ name: 'count', outputs: { rows: { type: 'integer' } } }),
  script({
    name: 'move',
    parameters: {
      rows: { type: 'integer' },
      table: { type: 'string', pattern: '[a-z]+', default: 'users' },
      node: { type: 'string', pattern: '[a-z0-9-]+' },
    },
  }),
];
const WITH_SCRIPTS = {
  steps: {
    datacenter: [
      ...['guard', 'drain', 'stop', 'install', { id: 'count', script: 'count', folder: '~', runAs: 'db' }],
      {
        ...{ id: 'move', script: 'move', env: { DEPTH: '2' }, onUnknown: 'retry', timeoutMs: 5_000 },
        with: { rows: { from: 'count', output: 'rows' }, node: { target: 'name' } },
      },
      ...['start', 'verify', 'enable'],
    ],
  },
};
fits('a strategy with scripts', {
  scripts: SCRIPTS,
  projectEnvironment: projectEnvironment({ strategy: WITH_SCRIPTS }),
});
fits('a strategy with scripts, with variables per target', {
  scripts: SCRIPTS,
  projectEnvironment: projectEnvironment({
    strategy: WITH_SCRIPTS,
    targets: targets(8, () => ({ env: { ROLE: 'a' } })),
  }),
});

test('a script is in the plan once, by its SHA-256, and each step has what it is given', () => {
  const parts = { scripts: SCRIPTS, projectEnvironment: projectEnvironment({ strategy: WITH_SCRIPTS }) };
  const { plan } = buildPlan(request({ ...parts, project: project({ env: { A: '1' } }) }), datacenter);
  const content = SCRIPTS[0]?.content ?? '';
  assert.deepEqual(plan.scripts, { [sha256(content)]: content });
  const stepOf = (id: string) => (plan.sequences.rolling ?? []).find((step) => step.id === id);
  const move = resolved(plan, stepOf('move')?.inputs ?? {});
  assert.deepEqual(move.parameters, { rows: 7, table: 'users', node: 'web-1' });
  assert.deepEqual([move.env, move.cwd, move.content], [{ A: '1', DEPTH: '2' }, '/srv/web', content]);
  const count = resolved(plan, stepOf('count')?.inputs ?? {});
  assert.deepEqual([count.sudoUser, count.cwd], ['db', '~']);
  assert.deepEqual([stepOf('count')?.timeoutMs, stepOf('move')?.timeoutMs], [60_000, 5_000]);
});

test('what a script stands for is said by the environment, and nearer by the project in it', () => {
  const own = script({ name: 'own', interpreter: ['/bin/own'], outputs: { rows: { type: 'integer' } } });
  type Fields = Readonly<Record<string, unknown>>;
  const interpreterIn = (environments: Fields, placed: Fields) => {
    const { plan } = buildPlan(
      request({
        scripts: [...SCRIPTS, own],
        environment: environment(environments),
        projectEnvironment: projectEnvironment({ strategy: WITH_SCRIPTS, ...placed }),
      }),
      datacenter,
    );
    const [step] = (plan.sequences.rolling ?? []).filter(({ id }) => id === 'count');
    return (resolved(plan, step?.inputs ?? {}).script as JsonObject).name;
  };
  assert.equal(interpreterIn({}, {}), 'count');
  assert.equal(interpreterIn({ scripts: { count: 'own' } }, {}), 'own');
  assert.equal(interpreterIn({ scripts: { count: 'own' } }, { scripts: { count: 'count' } }), 'count');
  assert.throws(
    () => interpreterIn({ scripts: { count: 'move' } }, {}),
    /The script move needs the parameter "rows"/,
  );
});

test('a target whose value a parameter cannot take is refused when it is planned', () => {
  const parameters = { rows: { type: 'integer' }, node: { type: 'string', pattern: 'db-[0-9]+' } };
  const scripts = [...SCRIPTS.slice(0, 1), script({ name: 'move', parameters })];
  const parts = { scripts, projectEnvironment: projectEnvironment({ strategy: WITH_SCRIPTS }) };
  assert.throws(() => buildPlan(request(parts), datacenter), {
    code: 'config_invalid',
    message: /The step move cannot be done on web-1: its name is not a text that matches/,
  });
});

fits('commands that may be done twice, or are checked', {
  project: project({
    commands: { install: ['put'] },
    onUnknown: { stop: 'retry', start: { check: ['bin/is-up'] }, install: 'retry' },
  }),
});
const LOOKS_AGAIN = {
  id: 'seen',
  action: 'health.verify@1',
  with: { check: { kind: 'balancer' }, passes: 2, intervalMs: 1_000, windowMs: 9_000 },
};
fits('a step of its own that asks the monitor of the balancer', {
  projectEnvironment: projectEnvironment({
    strategy: {
      steps: {
        datacenter: [...['guard', 'drain', 'stop', 'install', 'start', 'verify', 'enable'], LOOKS_AGAIN],
      },
    },
  }),
});
fits('a strategy with steps of its own', { projectEnvironment: projectEnvironment({ strategy: OWN_STEPS }) });
fits('a strategy with steps of its own, with variables per target', {
  projectEnvironment: projectEnvironment({
    strategy: OWN_STEPS,
    targets: targets(8, () => ({ env: { ROLE: 'a' } })),
  }),
});

test('a step of the strategy gets what the target has, and its own variables beside those of the project', () => {
  const strategy = OWN_STEPS;
  const plain = buildPlan(
    request({ project: project({ env: { A: '1' } }), projectEnvironment: projectEnvironment({ strategy }) }),
    datacenter,
  ).plan;
  const steps = plain.sequences.rolling ?? [];
  assert.deepEqual(
    steps.map(({ id }) => id),
    [
      ...['fetch', 'guard', 'drain', 'stop', 'install', 'migrate', 'start', 'verify'],
      ...['deep', 'port', 'enable', 'rest'],
    ],
  );
  const inputsOf = (plan: Plan, id: string) =>
    resolved(plan, (plan.sequences.rolling ?? []).find((step) => step.id === id)?.inputs ?? {});
  assert.deepEqual(inputsOf(plain, 'migrate').env, { A: '1', DEPTH: '2' });
  assert.equal(inputsOf(plain, 'deep').url, 'http://10.0.0.1:8080/deep');
  assert.equal(inputsOf(plain, 'port').port, 8080);
  const placed = projectEnvironment({ strategy, targets: targets(8, () => ({ env: { B: '2' } })) });
  const { plan } = buildPlan(
    request({ project: project({ env: { A: '1' } }), projectEnvironment: placed }),
    datacenter,
  );
  assert.deepEqual(inputsOf(plan, 'migrate').env, { A: '1', B: '2', DEPTH: '2' });
});

test('a list of steps that breaks a promise is refused when it is planned', () => {
  const strategy = { steps: { datacenter: ['stop', 'install', 'start'] } };
  assert.throws(
    () => buildPlan(request({ projectEnvironment: projectEnvironment({ strategy }) }), datacenter),
    /no guard, which protects/,
  );
});

fits('a health check by command, with variables per target', {
  project: project({ health: { check: { kind: 'command', argv: ['bin/check'] } } }),
  projectEnvironment: projectEnvironment({ targets: targets(8, () => ({ env: { ROLE: 'a' } })) }),
});
