import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environment, project, projectEnvironment, targets } from '../../../test/fixtures/configuration.ts';
import { SEQUENCES, type SequenceName } from '../../plan/sequences.ts';
import { resolveSettings, type Settings } from '../../plan/settings.ts';
import { datacenter } from './plan.ts';

type Parts = {
  readonly project?: object;
  readonly environment?: object;
  readonly projectEnvironment?: object;
};

const settings = (parts: Parts = {}): Settings =>
  resolveSettings({
    project: project({ commands: { reload: ['reload'] }, ...parts.project }),
    environment: environment({ ...parts.environment }),
    projectEnvironment: projectEnvironment({ targets: targets(1), ...parts.projectEnvironment }),
    strategies: [],
    scripts: [],
    hostKeys: new Map(),
  });

/** A step of a sequence by its id. */
const step = (id: string, parts: Parts = {}, sequence: SequenceName = 'rolling') =>
  datacenter.steps(sequence, settings(parts)).find((each) => each.id === id);

function facts(target: object, parts: Parts = {}) {
  const placed = projectEnvironment({ targets: [{ name: 'web-1', address: '10.0.0.1', ...target }] });
  const [config] = placed.targets;
  assert.ok(config);
  return datacenter.facts(config, settings({ ...parts, projectEnvironment: { targets: placed.targets } }));
}

test('only the guard takes capacity, before all that touches a target; the drain keeps it out, and only enable gives it back', () => {
  for (const name of SEQUENCES) {
    const steps = datacenter.steps(name, settings());
    const holds = steps.flatMap(({ id, hold }) => (hold ? [`${id} ${hold}`] : []));
    const behindBalancer = ['rolling', 'restart', 'cold', 'restart-cold'].includes(name);
    assert.deepEqual(holds, behindBalancer ? ['guard take', 'drain keep', 'enable give'] : [], name);
    if (behindBalancer) assert.equal(steps.find((each) => !each.ahead)?.id, 'guard');
  }
});

test('a release is fetched before the turn of its target wherever it is stopped for it, unless the team installs it', () => {
  const ahead = (commands: object) =>
    SEQUENCES.filter((name) => {
      const steps = datacenter.steps(
        name,
        settings({ project: { commands: { reload: ['hup'], ...commands } } }),
      );
      const fetches = steps.filter((each) => each.ahead);
      assert.deepEqual(fetches, steps[0]?.id === 'fetch' ? steps.slice(0, 1) : [], name);
      const folder = steps.find(({ id }) => id === 'install')?.inputs.fetched;
      assert.deepEqual(folder, fetches.length > 0 ? { from: 'fetch', output: 'folder' } : undefined, name);
      return fetches.length > 0;
    });
  assert.deepEqual(ahead({}), ['rolling', 'plain', 'cold', 'others', 'hard']);
  assert.deepEqual(ahead({ install: ['put'] }), []);
});

test('what is whole is looked at where a deployment is forced and services are stopped for it, and nowhere else', () => {
  const forced = { ...settings(), installsAnew: true };
  const looking = SEQUENCES.filter((name) =>
    datacenter.steps(name, forced).some(({ inputs }) => inputs.anew !== undefined),
  );
  assert.deepEqual(looking, ['rolling', 'plain', 'cold', 'others', 'hard']);
  const actions = datacenter
    .steps('rolling', forced)
    .flatMap(({ action, inputs }) => (inputs.anew ? [action] : []));
  assert.deepEqual(actions, ['release.fetch@3', 'release.install@5']);
  for (const name of SEQUENCES)
    for (const { inputs } of datacenter.steps(name, settings())) assert.equal(inputs.anew, undefined, name);
  const byCommand = settings({ project: { commands: { install: ['put'], reload: ['hup'] } } });
  for (const name of SEQUENCES)
    for (const { inputs } of datacenter.steps(name, { ...byCommand, hasFiles: true, installsAnew: true }))
      assert.equal(inputs.anew, undefined, name);
  const early = settings({
    projectEnvironment: {
      strategy: {
        steps: { datacenter: ['guard', 'drain', 'install', 'stop', 'start', 'verify', 'enable'] },
      },
    },
  });
  for (const name of ['rolling', 'hard'] as const)
    for (const { inputs } of datacenter.steps(name, { ...early, installsAnew: true }))
      assert.equal(inputs.anew, undefined, name);
});

test('what may have run on a host is asked about, what can be looked at is done again', () => {
  const asked = datacenter.steps('rolling', settings()).filter(({ onUnknown }) => onUnknown === 'ask');
  assert.deepEqual(
    asked.map(({ id }) => id),
    ['stop', 'start'],
  );
});

test('a step may take longer than the wait that it is given', () => {
  assert.ok((step('drain')?.timeoutMs ?? 0) > 300_000);
  assert.ok((step('verify')?.timeoutMs ?? 0) > 60_000);
});

test('commands run in the folder of the project, as its user', () => {
  const inputs = step('start', { project: { runAs: 'web' } })?.inputs ?? {};
  assert.deepEqual(inputs.cwd, { value: '/srv/web' });
  assert.deepEqual(inputs.sudoUser, { value: 'web' });
  assert.deepEqual(inputs.argv, { value: ['current/bin/start'] });
});

test('an own install command gets the release in place of release folders', () => {
  const install = step('install', { project: { commands: { install: ['./install'] } } });
  assert.equal(install?.action, 'host.run@1');
  assert.deepEqual(install?.inputs.release, { release: true });
});

test('a first deployment stops only what is installed; what serves must have its stop command', () => {
  assert.deepEqual(step('stop', {}, 'rolling')?.inputs.argv, { value: ['current/bin/stop'] });
  assert.match(
    JSON.stringify(step('stop', {}, 'cold')?.inputs.argv),
    /if \[ -e .*current.*exec current.bin.stop/,
  );
  const own = { project: { commands: { stop: ['bin/down'] } } };
  assert.deepEqual(step('stop', own, 'cold')?.inputs.argv, { value: ['bin/down'] });
});

test('a reload installs, has the service read its files again, and verifies; it takes nothing out of service', () => {
  for (const name of ['reload', 'reload-plain'] as const) {
    const steps = datacenter.steps(name, settings());
    assert.deepEqual(
      steps.map(({ id }) => id),
      ['install', 'reload', 'verify', 'settle'],
    );
    assert.equal(
      steps.some(({ hold }) => hold !== undefined),
      false,
    );
    assert.deepEqual(steps[1]?.inputs.argv, { value: ['reload'] });
  }
});

test('who installs by a command of his own gets the files beside it, and a reload puts the files alone', () => {
  const own = project({ commands: { install: ['put'], reload: ['reload'] } });
  const withFiles = { ...settings(), commands: own.commands, hasFiles: true };
  const idsOf = (name: SequenceName) => datacenter.steps(name, withFiles).map(({ id }) => id);
  assert.deepEqual(idsOf('plain').slice(0, 3), ['stop', 'property-files', 'install']);
  assert.deepEqual(idsOf('reload'), ['property-files', 'reload', 'verify', 'settle']);
  const files = datacenter.steps('plain', withFiles).find(({ id }) => id === 'property-files');
  assert.equal(files?.action, 'release.install@2');
  assert.deepEqual(files?.inputs.folder, { value: '/srv/web/properties' });
  assert.equal(
    datacenter.steps('plain', { ...withFiles, hasFiles: false }).some(({ id }) => id === 'property-files'),
    false,
  );
});

test('the stop of a first deployment begins above the folder, which is not there yet', () => {
  const absolute = step('stop', {}, 'cold')?.inputs ?? {};
  assert.deepEqual(absolute.cwd, { value: '/' });
  const inHome = step('stop', { project: { folder: '~/web' } }, 'cold')?.inputs ?? {};
  assert.deepEqual(inHome.cwd, { value: '~' });
  assert.match(JSON.stringify(inHome.argv), /"stop","web"/);
});

test('a version is expected only where the check reads one and a release is put there', () => {
  assert.deepEqual(step('verify')?.inputs.release, { release: true });
  const shown = datacenter.steps('rolling', { ...settings(), showsOther: true });
  assert.deepEqual(shown.find(({ id }) => id === 'verify')?.inputs.release, { release: 'shown' });
  assert.equal(step('verify', {}, 'restart')?.inputs.release, undefined);
  const tcp = { project: { health: { check: { kind: 'tcp', port: 1 } } } };
  assert.equal(step('verify', tcp)?.inputs.release, undefined);
});

test('variables of targets are facts only if some target has its own', () => {
  const own = { projectEnvironment: { targets: [{ name: 'a', address: 'h', env: { ROLE: 'x' } }] } };
  assert.deepEqual(step('start', { project: { env: { A: '1' } } })?.inputs.env, { value: { A: '1' } });
  assert.deepEqual(step('start', own)?.inputs.env, { target: 'env' });
  assert.deepEqual(facts({ env: { ROLE: 'x' } }, { project: { env: { A: '1', ROLE: 'y' } } }).env, {
    A: '1',
    ROLE: 'x',
  });
});

test('the facts of a target say how to log in', () => {
  assert.deepEqual(facts({ sshPort: 2222 }).host, {
    name: 'web-1',
    address: '10.0.0.1',
    port: 2222,
    user: 'deploy',
    identityFile: '/keys/edge',
    hostKey: { knownHosts: '/keys/known_hosts' },
  });
});

test('a pinned host key wins over known_hosts', () => {
  const hostKey = `SHA256:${'a'.repeat(43)}`;
  assert.deepEqual(facts({ hostKey }).host, { ...Object(facts({}).host), hostKey: { fingerprint: hostKey } });
});

test('a target without any known host key is refused when it is planned', () => {
  const ssh = { user: 'deploy', identityFile: '/key' };
  assert.throws(() => facts({}, { environment: { ssh } }), { code: 'host_key_unknown' });
});

test('the health check asks the port of the target, else its own', () => {
  const check = (more: object) => ({
    project: { health: { check: { kind: 'http', path: '/up', ...more } } },
  });
  assert.equal(facts({ port: 9000 }, check({ port: 80 })).url, 'http://10.0.0.1:9000/up');
  assert.equal(facts({}, check({ port: 81, scheme: 'https' })).url, 'https://10.0.0.1:81/up');
  assert.equal(facts({}, check({})).url, 'http://10.0.0.1/up');
  assert.equal(facts({ address: '::1', port: 1 }, check({})).url, 'http://[::1]:1/up');
});

test('a TCP check without a port is refused when it is planned', () => {
  const health = { check: { kind: 'tcp' } };
  assert.throws(() => facts({}, { project: { health } }), { code: 'config_invalid' });
  assert.equal(facts({ port: 7 }, { project: { health } }).port, 7);
});

test('a check by the balancer asks for the members of each target, and is refused where there are none', () => {
  const health = { check: { kind: 'balancer' } };
  const verify = step('verify', { project: { health } });
  assert.deepEqual(verify?.inputs.members, { members: true });
  assert.deepEqual(facts({ member: 'web/web-1' }, { project: { health } }).url, undefined);
  assert.throws(() => facts({}, { project: { health } }), { code: 'config_invalid' });
});

test('a check by a balancer that sees nothing of a drained member is refused', () => {
  const health = { check: { kind: 'balancer' } };
  const f5 = {
    ...{ kind: 'f5', url: 'https://f5.example', username: 'edge' },
    password: { source: 'env', name: 'F5' },
  };
  const nginx = {
    ...{ kind: 'nginx', hosts: [{ address: '10.0.0.5' }], file: '/etc/nginx/conf.d/web.conf' },
    ssh: { user: 'edge', identityFile: '/key', knownHosts: '/known' },
  };
  const haproxy = { kind: 'haproxy', socket: 'lb:9999' };
  const verify = (balancers: object, strategy: object = {}) =>
    step('verify', { project: { health }, environment: { balancers }, projectEnvironment: { strategy } });
  assert.throws(() => verify({ f5 }), { code: 'config_invalid' });
  assert.throws(() => verify({ nginx, f5 }), { code: 'config_invalid' });
  assert.ok(verify({ haproxy }) && verify({ f5, haproxy }));
  const undrained = { without: ['drain'], steps: { datacenter: ['stop', 'install', 'start', 'verify'] } };
  assert.ok(verify({ f5 }, undrained));
  assert.throws(() => verify({ nginx }, undrained), { code: 'config_invalid' });
});

test('a gate is closed between drain and stop, and opened between verify and enable; without one nothing is different', () => {
  const gate = { close: ['bin/gate', 'close'], open: ['bin/gate', 'open'] };
  for (const name of SEQUENCES) {
    const plain = datacenter.steps(name, settings());
    const gated = datacenter.steps(name, settings({ project: { gate } }));
    assert.deepEqual(
      gated.filter(({ id }) => !id.startsWith('gate-')),
      plain,
    );
    const ids = gated.map(({ id }) => id);
    const isHard = name.endsWith('hard');
    const isOther = name.startsWith('others') || name.startsWith('reload');
    assert.deepEqual(
      [ids.includes('gate-close'), ids.includes('gate-open')],
      [!isHard && !isOther, !isOther],
      name,
    );
    if (isOther || isHard) continue;
    assert.equal(ids[ids.indexOf('gate-close') + 1], 'stop');
    assert.equal(ids[ids.indexOf('gate-open') - 1], 'verify');
  }
  const open = step('gate-open', { project: { gate } });
  assert.deepEqual(open?.inputs.argv, { value: gate.open });
});

test('a gate can be another one in an environment, and a check by the balancer is refused with it', () => {
  const gate = { close: ['a'], open: ['b'] };
  const other = { close: ['c'], open: ['d'] };
  const merged = settings({ project: { gate }, projectEnvironment: { overrides: { gate: other } } });
  assert.deepEqual(merged.gate, other);
  const health = { check: { kind: 'balancer' } };
  assert.throws(() => datacenter.steps('rolling', settings({ project: { gate, health } })), {
    code: 'config_invalid',
  });
});

test('the nearest setting to a target wins', () => {
  const merged = settings({
    project: { keepReleases: 5, health: { check: { kind: 'tcp', port: 1 }, passes: 3, windowMs: 1_000 } },
    environment: { health: { passes: 4, windowMs: 2_000 }, policy: { minInService: 3 } },
    projectEnvironment: {
      health: { passes: 5 },
      overrides: { keepReleases: 9 },
      policy: { maxFailures: { zone: { count: 7 } } },
    },
  });
  assert.deepEqual([merged.health?.passes, merged.health?.windowMs, merged.keepReleases], [5, 2_000, 9]);
  assert.equal(merged.policy.minInService, 3);
  assert.deepEqual(merged.policy.maxFailures, {
    batch: { count: 1 },
    zone: { count: 7 },
    deployment: { count: 1 },
  });
});

test('retries are what the strategy says of a step, or of all; the pauses come on top of its longest time', () => {
  const retries = { default: { max: 1, backoffMs: 100 }, stop: { max: 3, backoffMs: 1_000, factor: 1 } };
  const own = { id: 'save', action: 'host.run@1', with: { argv: ['save'] } };
  const parts = (more: object) => ({
    projectEnvironment: {
      strategy: {
        retries,
        steps: {
          datacenter: ['guard', 'drain', { ...own, ...more }, 'stop', 'install', 'start', 'verify', 'enable'],
        },
      },
    },
  });
  const plain = step('stop');
  const stop = step('stop', parts({}));
  assert.deepEqual(stop?.retries, { max: 3, backoffMs: 1_000, factor: 1 });
  assert.equal(stop?.timeoutMs, (plain?.timeoutMs ?? 0) + 3_000);
  assert.deepEqual(step('verify', parts({}))?.retries, { max: 1, backoffMs: 100 });
  assert.deepEqual(step('save', parts({}))?.retries, { max: 2, backoffMs: 5_000 });
  const named = parts({ retries: { max: 0, backoffMs: 0 } });
  assert.deepEqual(step('save', named)?.retries, { max: 0, backoffMs: 0 });
});

test('a command says for itself what follows when nobody saw its end, and the environment says it otherwise', () => {
  const check = { check: ['bin/is-up'] };
  const parts = {
    project: { onUnknown: { stop: 'retry', start: 'retry' } },
    projectEnvironment: { overrides: { onUnknown: { start: check, stop: 'ask' } } },
  };
  assert.equal(step('start')?.inputs.ifUnknown, undefined);
  assert.deepEqual(step('start', parts)?.inputs.ifUnknown, { value: check });
  assert.equal(step('stop', parts)?.inputs.ifUnknown, undefined);
  assert.deepEqual(step('stop', { project: parts.project })?.inputs.ifUnknown, { value: 'retry' });
  assert.deepEqual(step('stop', { project: parts.project }, 'cold')?.inputs.ifUnknown, { value: 'retry' });
  const install = { project: { commands: { install: ['put'] }, onUnknown: { install: 'retry' } } };
  assert.deepEqual(step('install', install)?.inputs.ifUnknown, { value: 'retry' });
});
