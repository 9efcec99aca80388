import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scriptRequestSchema } from '../../domain/script.ts';
import type { InlineStrategy, Scripts } from '../../domain/strategy.ts';
import { CYCLE, inlineStrategySchema } from '../../domain/strategy.ts';
import type { SEQUENCES } from '../../plan/sequences.ts';
import { checkSteps } from './check-steps.ts';
import { listedSteps } from './listed-steps.ts';
import { actionsFor } from './step-shape.ts';

const SCRIPTS: Scripts = new Map(
  [
    { name: 'count', outputs: { rows: { type: 'integer' }, table: { type: 'string', pattern: '[a-z]+' } } },
    {
      name: 'move',
      parameters: {
        rows: { type: 'integer', min: 0 },
        table: { type: 'string', pattern: '[a-z]+', default: 'users' },
        host: { type: 'string', pattern: '.+', default: 'x' },
        mode: { type: 'enum', values: ['fast', 'slow'], default: 'slow' },
      },
    },
  ].map((script) => {
    const parsed = scriptRequestSchema.parse({ kind: 'script', content: '#!/bin/sh\n', ...script });
    return [parsed.name, parsed];
  }),
);
const KNOWN = { scripts: SCRIPTS, actions: actionsFor([]) };

const strategy = (datacenter: readonly unknown[], more: object = {}): InlineStrategy =>
  inlineStrategySchema.parse({ steps: { datacenter }, ...more });
const problems = (steps: readonly unknown[], more: object = {}) =>
  checkSteps(strategy(steps, more), KNOWN).map(({ path, message }) => `${path.join('.')}: ${message}`);

const run = (id: string, more: object = {}) => ({
  ...{ id, action: 'host.run@1', with: { argv: [`bin/${id}`] } },
  ...more,
});
const all = (...steps: readonly unknown[]) => [
  ...['guard', 'drain', 'stop', 'install'],
  ...steps,
  ...['start', 'verify', 'enable', 'settle'],
];
const AT = 'steps.datacenter';

describe('the steps of a strategy', () => {
  test('may be those of the cycle, with others between drain and verify', () => {
    assert.deepEqual(problems(all()), []);
    assert.deepEqual(problems(all(run('migrate'), run('warm-up'))), []);
    assert.deepEqual(checkSteps({}, KNOWN), []);
  });

  test('have each step once', () => {
    assert.deepEqual(problems(all(run('stop'))), [`${AT}.4: The step "stop" is there twice`]);
    assert.deepEqual(problems(all(run('a'), run('a'))), [`${AT}.5: The step "a" is there twice`]);
    assert.deepEqual(problems(all(run('fetch'))), [
      `${AT}.4: The step "fetch" is one of Edge's own, which are not listed`,
    ]);
  });

  test('keep the order that keeps the promises', () => {
    const order = (...steps: readonly string[]) => problems(steps);
    assert.deepEqual(order('drain', 'guard', 'stop', 'install', 'start', 'verify', 'enable'), [
      `${AT}.0: drain comes before guard`,
    ]);
    assert.deepEqual(order('guard', 'stop', 'drain', 'install', 'start', 'verify', 'enable'), [
      `${AT}.1: stop comes before drain`,
    ]);
    assert.deepEqual(order('guard', 'drain', 'stop', 'install', 'start', 'enable', 'verify'), [
      `${AT}.5: enable comes before verify`,
    ]);
    assert.deepEqual(order('guard', 'drain', 'stop', 'install', 'verify', 'start', 'enable'), [
      `${AT}.4: verify comes before start`,
    ]);
    assert.deepEqual(order('guard', 'drain', 'install', 'stop', 'start', 'verify', 'enable'), []);
  });

  test('have what protects, unless it is left out on purpose', () => {
    const bare = ['stop', 'install', 'start'];
    assert.deepEqual(
      problems(bare),
      ['guard', 'drain', 'enable', 'verify'].map(
        (step) => `${AT}: The steps have no ${step}, which protects`,
      ),
    );
    assert.deepEqual(problems(bare, { without: ['drain', 'verify'] }), []);
    assert.deepEqual(problems(['drain', ...bare, 'verify'], { without: ['drain'] }), [
      `${AT}.0: The steps have drain, and \`without\` says drain is left out`,
    ]);
    assert.deepEqual(
      checkSteps({ without: ['verify'] }, KNOWN).map(({ path }) => path),
      [['without']],
    );
  });

  test('install and start what they stop', () => {
    assert.deepEqual(problems(['guard', 'drain', 'start', 'verify', 'enable']), [
      `${AT}: The steps have no stop`,
      `${AT}: The steps have no install`,
    ]);
  });

  test('of its own stand where nobody is served, unless they change nothing of the service', () => {
    const late = ['guard', 'drain', 'stop', 'install', 'start', 'verify', run('smoke'), 'enable'];
    assert.match(
      problems(late)[0] ?? '',
      /"smoke" is done while the target serves, or after it was verified/,
    );
    assert.match(problems([run('look'), ...all()])[0] ?? '', /"look" is done while/);
    assert.deepEqual(problems([run('look', { whileServing: true }), ...all()]), []);
    const check = { kind: 'http', path: '/deep' };
    const again = { check, passes: 1, intervalMs: 100, windowMs: 5_000 };
    const verify = { id: 'deep', action: 'health.verify@1', with: again };
    assert.deepEqual(
      problems([...all(), verify, { id: 'rest', action: 'wait.settle@1', with: { ms: 5 } }]),
      [],
    );
  });

  test('of its own are actions that no platform owns, with inputs that these take', () => {
    const wrong = (more: object) => problems(all(run('x', more)));
    assert.deepEqual(wrong({ action: 'balancer.drain@1' }), [
      `${AT}.4.action: There is no action "balancer.drain@1" for a step of your own`,
    ]);
    assert.deepEqual(wrong({ with: {} }), [`${AT}.4: host.run@1 needs the input "argv"`]);
    assert.deepEqual(wrong({ with: { argv: ['a'], argw: 1 } }), [
      `${AT}.4.with.argw: host.run@1 has no input "argw"`,
    ]);
    assert.deepEqual(wrong({ with: { argv: ['a'], host: 'other' } }), [
      `${AT}.4.with.host: host is given by the target`,
    ]);
    assert.match(
      wrong({ with: { argv: ['a', 7] } })[0] ?? '',
      /^steps.datacenter.4.with.argv.1: argv: .*string/,
    );
    assert.deepEqual(wrong({ onUnknown: { check: ['b'] } }), []);
    const rest = { id: 'rest', action: 'wait.settle@1', with: { ms: 1 }, onUnknown: 'retry' };
    assert.match(problems(all(rest))[0] ?? '', /4.onUnknown: onUnknown is of commands/);
    assert.match(wrong({ with: { argv: ['a'], graceMs: -1 } })[0] ?? '', /with.graceMs: graceMs: /);
  });

  test('read outputs of steps that come before, of the type that is wanted', () => {
    const reads = (name: string, from: string, output: string) =>
      run('use', { with: { argv: ['a'], [name]: { from, output } } });
    assert.deepEqual(problems(all(run('look'), reads('graceMs', 'look', 'outputBytes'))), []);
    const told = (...steps: readonly unknown[]) => problems(all(...steps))[0] ?? '';
    assert.match(told(reads('graceMs', 'nix', 'outputBytes')), /There is no step "nix" of your own/);
    assert.match(told(run('look'), reads('graceMs', 'look', 'lines')), /host.run@1 has no output "lines"/);
    assert.match(
      told(run('look'), reads('cwd', 'look', 'outputBytes')),
      /look gives integer, and cwd is string/,
    );
    assert.match(told(reads('graceMs', 'look', 'outputBytes'), run('look')), /is not done before it/);
  });

  test('do not read what a restart leaves out', () => {
    const reads = run('use', { with: { argv: ['a'], graceMs: { from: 'look', output: 'outputBytes' } } });
    const list = ['guard', 'drain', 'stop', 'install', run('look'), 'start', reads, 'verify', 'enable'];
    assert.match(problems(list)[0] ?? '', /"look" is not done before it in the sequence restart/);
  });
});

describe('the sequences of a strategy with steps of its own', () => {
  const list = [
    ...['guard', 'drain', run('save'), 'stop', 'install', run('migrate'), 'start', run('warm-up'), 'verify'],
    ...[run('smoke', { whileServing: true }), 'enable', 'settle'],
  ];
  const ids = (name: (typeof SEQUENCES)[number]) =>
    listedSteps(name, strategy(list))
      .map((item) => (typeof item === 'string' ? item : item.id))
      .join(' ');

  test('have each of them wherever the step of the cycle is that it belongs to', () => {
    assert.deepEqual(problems(list), []);
    assert.equal(
      ids('rolling'),
      'guard drain save stop install migrate start warm-up verify smoke enable settle',
    );
    assert.equal(ids('cold'), ids('rolling'));
    assert.equal(ids('plain'), 'save stop install migrate start warm-up verify smoke settle');
    assert.equal(ids('restart'), 'guard drain save stop start warm-up verify smoke enable settle');
    assert.equal(ids('others-stopped'), 'install migrate');
    assert.equal(ids('hard'), 'save stop install migrate start warm-up');
  });

  test('are those of the cycle where it lists none', () => {
    assert.equal(listedSteps('restart', {}).join(' '), 'guard drain stop start verify enable settle');
  });
});

describe('a step that runs a script', () => {
  const withSteps = (...steps: readonly object[]) => {
    const [guard, drain, stop, ...rest] = CYCLE;
    return problems([guard, drain, stop, ...steps, ...rest]).map((text) => text.replace(`${AT}.`, ''));
  };
  const count = { id: 'count', script: 'count' };
  const move = (given: object, more: object = {}) => ({ id: 'move', script: 'move', with: given, ...more });

  test('takes parameters by their types: written, of its target, or given by a script before it', () => {
    assert.deepEqual(withSteps(count, move({ rows: 1, host: 'x', mode: 'fast' })), []);
    assert.deepEqual(withSteps(count, move({ rows: { from: 'count', output: 'rows' } })), []);
    assert.deepEqual(withSteps(count, move({ rows: { target: 'port' }, host: { target: 'address' } })), []);
  });

  test('is told what does not fit, each with its place', () => {
    assert.deepEqual(withSteps({ id: 'a', script: 'counts' }), ['3.script: There is no script "counts"']);
    assert.deepEqual(withSteps(move({})), ['3: The script move needs the parameter "rows"']);
    assert.deepEqual(withSteps(move({ rows: -1 })), ['3.with.rows: rows: a whole number of at least 0']);
    assert.deepEqual(withSteps(move({ rows: 1, tables: 'x' })), [
      '3.with.tables: The script move has no parameter "tables"',
    ]);
    assert.deepEqual(withSteps(move({ rows: 1, table: '$(id)' })), [
      '3.with.table: table: a text that matches [a-z]+ as a whole',
    ]);
    assert.deepEqual(withSteps(move({ rows: { target: 'name' } })), [
      '3.with.rows: { target: name } gives string, and rows is integer',
    ]);
    assert.deepEqual(withSteps(count, move({ rows: { from: 'count', output: 'table' } })), [
      '4.with.rows: count gives string, and rows is integer',
    ]);
    assert.deepEqual(withSteps(count, move({ rows: { from: 'count', output: 'lines' } })), [
      '4.with.rows: The script count has no output "lines"',
    ]);
    assert.deepEqual(withSteps(move({ rows: { from: 'count', output: 'rows' } }), count), [
      '3.with.rows: "count" is not done before it in the sequence rolling',
    ]);
  });

  test('stands where it may do what it does, and is checked only for what a check can tell', () => {
    const last = problems([...CYCLE, count]).map((text) => text.replace(`${AT}.`, ''));
    assert.deepEqual(last, ['8: The step "count" is done while the target serves, or after it was verified']);
    assert.deepEqual(problems([...CYCLE, { ...count, whileServing: true }]), []);
    const check = { onUnknown: { check: ['bin/done'] } };
    assert.deepEqual(withSteps(move({ rows: 1 }, check)), []);
    assert.deepEqual(withSteps({ ...count, ...check }), [
      '3.onUnknown: A check cannot tell what a script would have given',
    ]);
  });

  test('is a script or an action, and says user, folder and variables only of a script', () => {
    for (const step of [
      { id: 'a' },
      { id: 'a', script: 'count', action: 'host.run@1' },
      { id: 'a', action: 'host.run@1', with: { argv: ['x'] }, runAs: 'web' },
    ])
      assert.throws(() => problems([...CYCLE, step]), JSON.stringify(step));
  });
});
