import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { release } from '../../test/fixtures/configuration.ts';
import { METRIC_SOURCES } from '../../test/fixtures/metric-sources.ts';
import { asEdgeError, EdgeError, type ErrorBody } from '../domain/errors.ts';
import { isList } from '../domain/project-environment.ts';
import { buildPlan } from '../plan/build-plan.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import { KINDS } from './kinds.ts';
import { type ConfigFile, loadConfig } from './load-config.ts';

const examples = new URL('../../examples/', import.meta.url);
const exampleFiles = (): readonly ConfigFile[] =>
  readdirSync(examples)
    .filter((name) => name.endsWith('.yaml'))
    .map((path) => ({ path, text: readFileSync(new URL(path, examples), 'utf8') }));

const one = (text: string): readonly ConfigFile[] => [{ path: 'edge.yaml', text }];

/** What is said of a text: the first error and those that come with it. */
function errorsOf(files: readonly ConfigFile[]): readonly ErrorBody[] {
  try {
    loadConfig(files, undefined, datacenter.checkSteps);
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error;
    return [error.body, ...(error.body.also ?? [])];
  }
  return [];
}

/** Each error as one line: `line:column path code: message | hint`. */
const said = (text: string) =>
  errorsOf(one(text)).map(
    ({ where, code, message, hint }) =>
      `${where?.line}:${where?.column} ${where?.path ?? '-'} ${code}: ${message} | ${hint}`,
  );

const ENVIRONMENT = `
kind: environment
name: production
ssh: { user: deploy, identityFile: /key, knownHosts: /known_hosts }
balancers: { lb: { kind: haproxy, socket: /run/haproxy.sock } }
`;
const PROJECT = 'kind: project\nname: web\nfolder: /srv/web\n';
const placed = (targets: string, more = '') =>
  `${PROJECT}---${ENVIRONMENT}---\nkind: project-environment\nproject: web\nenvironment: production\n${more}targets:\n${targets}`;

test('the examples are valid and can be planned', () => {
  const documents = loadConfig(exampleFiles());
  const of = <K extends string>(kind: K) => documents.filter((each) => each.kind === kind);
  const [project, environment, projectEnvironment] = [
    of('project')[0],
    of('environment')[0],
    of('project-environment')[0],
  ];
  assert.ok(
    project?.kind === 'project' &&
      environment?.kind === 'environment' &&
      projectEnvironment?.kind === 'project-environment' &&
      isList(projectEnvironment.targets),
  );
  const strategies = documents.flatMap((each) => (each.kind === 'strategy' ? [each] : []));
  const request = {
    verb: 'deploy',
    hard: false,
    release: release('2.4.0'),
    releases: [],
    fleet: [],
    pools: [],
    heldByOthers: [],
    hostKeys: new Map(),
    scripts: [],
  } as const;
  const options = { force: false, targets: null };
  const { plan } = buildPlan(
    {
      ...{ ...request, project, environment, strategies, options },
      projectEnvironment: { ...projectEnvironment, targets: projectEnvironment.targets },
    },
    datacenter,
  );
  assert.equal(plan.targets.length, 4);
});

test('what is left out has its default', () => {
  const [project] = loadConfig(one(PROJECT));
  assert.ok(project?.kind === 'project');
  assert.equal(project.keepReleases, 5);
  assert.deepEqual(project.commands.start, ['current/bin/start']);
});

test('a document that is read again is the same document', () => {
  for (const document of loadConfig(exampleFiles())) {
    assert.deepEqual(KINDS[document.kind].parse(structuredClone(document)), document);
  }
});

test('a wrong value is told with its place and what would be right', () => {
  assert.deepEqual(said(`${PROJECT}keepReleases: 0\n`), [
    '4:15 keepReleases config_invalid: keepReleases: must be at least 1 | Mend the value that is named; docs/reference/configuration.md lists every field.',
  ]);
});

test('a field that does not exist is told at its key, with the one that was meant', () => {
  assert.deepEqual(said(`${PROJECT}keepRelease: 4\ntimeouts:\n  stopMS: 3\n`), [
    '4:1 keepRelease config_invalid: a project has no field "keepRelease" | Did you mean "keepReleases"?',
    '6:3 timeouts.stopMS config_invalid: timeouts has no field "stopMS" | Did you mean "stopMs"?',
  ]);
});

test('a mistake inside of one variant of a value is told there', () => {
  assert.match(
    said(placed('  - { name: a, address: h, member: web/a }', 'strategy: { parallel: none }\n'))[0] ?? '',
    /strategy\.parallel/,
  );
  assert.match(
    said(`${PROJECT}health: { check: { kind: http, paht: / } }`)[0] ?? '',
    /4:32 health\.check\.paht .*Did you mean "path"/,
  );
});

test('a field that is missing is told as missing', () => {
  assert.match(said('kind: project\nname: web\n')[0] ?? '', /^1:1 folder config_invalid: folder: is missing/);
});

test('numbers as environment variables are refused with advice', () => {
  assert.match(said(`${PROJECT}env: { PORT: 80 }`)[0] ?? '', /env\.PORT: .*put numbers in quotes/);
});

test('an unknown kind is told with the one that was meant', () => {
  assert.match(
    said('kind: projekt')[0] ?? '',
    /1:7 kind config_invalid: There is no kind "projekt" \| Did you mean "project"\?/,
  );
  assert.match(said('name: web')[0] ?? '', /does not say its kind/);
  assert.match(said('- 1')[0] ?? '', /does not say its kind/);
});

test('all mistakes of all files are told at once', () => {
  const files = [
    { path: 'a.yaml', text: 'kind: project\nname: "!"\nfolder: relative\n' },
    { path: 'b.yaml', text: 'kind: [' },
  ];
  assert.deepEqual(
    errorsOf(files).map(({ where, code }) => `${where?.file}:${where?.line} ${code}`),
    ['a.yaml:2 config_invalid', 'a.yaml:3 config_invalid', 'b.yaml:1 config_syntax'],
  );
});

test('a document that is defined twice is told with the place of the first', () => {
  const [first] = errorsOf([
    { path: 'a.yaml', text: `\n${PROJECT}` },
    { path: 'b.yaml', text: PROJECT },
  ]);
  assert.equal(first?.code, 'config_duplicate');
  assert.equal(first?.where?.file, 'b.yaml');
  assert.match(first?.hint ?? '', /a\.yaml:2/);
});

test('names that lead nowhere are told with those that were meant', () => {
  const text = placed('  - { name: a, address: h, zone: default, member: web/a }', 'strategy: carefull\n')
    .replace('project: web', 'project: wbe')
    .concat('\n---\nkind: strategy\nname: careful\n');
  assert.deepEqual(
    said(text).map((line) => line.slice(line.indexOf(' ') + 1)),
    [
      'project config_reference: There is no project "wbe" | Did you mean "web"?',
      'strategy config_reference: There is no strategy "carefull" | Did you mean "careful"?',
    ],
  );
});

test('a zone, balancer or pool that does not exist is told', () => {
  const target =
    '  - { name: a, address: h, zone: south, members: [{ balancer: bl, pool: web, member: a }] }';
  assert.deepEqual(
    errorsOf(one(placed(target, 'floors: { wbe: 1 }\n'))).map(({ message }) => message),
    [
      'There is no zone of production "south"',
      'There is no balancer of production "bl"',
      'There is no pool of a target "wbe"',
    ],
  );
});

test('two targets of one name, or with one member, are told', () => {
  const target = '  - { name: a, address: h, member: web/a }\n';
  assert.deepEqual(
    errorsOf(one(placed(target + target))).map(({ code, message }) => `${code} ${message}`),
    [
      'config_duplicate The target "a" is there twice',
      'config_duplicate The member web/a belongs to two targets',
    ],
  );
});

test('a target needs a zone where there are several, and a balancer where there is not one', () => {
  const text = placed('  - { name: a, address: h, member: web/a }').replace(
    /balancers:.*/,
    'zones: [{ name: east }, { name: west }]',
  );
  assert.deepEqual(
    errorsOf(one(text)).map(({ message }) => message.replace(/[,:].*/, '')),
    ['The target a needs a zone', 'The member needs its balancer'],
  );
});

test('the keys of hosts may be left to `edge trust`', () => {
  const text = placed('  - { name: a, address: h, member: web/a }').replace(', knownHosts: /known_hosts', '');
  const environment = loadConfig(one(text)).find((each) => each.kind === 'environment');
  assert.deepEqual(environment?.ssh, { user: 'deploy', identityFile: '/key' });
});

test('what is in force already may be referred to, and is checked against what changes', () => {
  const all = loadConfig(one(placed('  - { name: a, address: h, zone: default, member: web/a }')));
  const known = {
    projects: all.flatMap((each) => (each.kind === 'project' ? [each] : [])),
    environments: all.flatMap((each) => (each.kind === 'environment' ? [each] : [])),
    projectEnvironments: all.flatMap((each) => (each.kind === 'project-environment' ? [each] : [])),
    strategies: [],
    scripts: [],
  };
  assert.equal(loadConfig(one('kind: release\nproject: web\nversion: 1.0.0'), known).length, 1);
  assert.throws(
    () => loadConfig(one(`${ENVIRONMENT}zones: [{ name: east }]\n`), known),
    /no zone of production "default"/,
  );
});

test('any text is either loaded or refused with errors of the catalogue that name the file', () => {
  const words = fc.constantFrom(
    'kind: ',
    'project',
    'environment',
    'name: ',
    'web',
    '\n',
    '  ',
    '- ',
    'targets:',
    '---\n',
    'folder: /a',
    '{',
    '}',
    '1',
    '[]',
    'ssh:',
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 30 }), (parts) => {
      for (const { where } of errorsOf(one(parts.join('')))) assert.equal(where?.file, 'edge.yaml');
    }),
    { numRuns: 1_000 },
  );
});

test('an error is told in full for fifty places and counted beyond', () => {
  const many = Array.from({ length: 80 }, (_, index) => `  - { name: a${index} }`).join('\n');
  const errors = errorsOf(one(placed(many)));
  assert.equal(errors.length, 50);
  assert.match(errors[0]?.message ?? '', /and 79 more/);
});

test('wrong indentation, a tab and a file without a document are told in words of the person who wrote it', () => {
  const told = (text: string) => {
    try {
      loadConfig([{ path: 'a.yaml', text }]);
      return [];
    } catch (thrown) {
      const { body } = asEdgeError(thrown);
      return [`${body.where?.line}: ${body.message}`, ...(body.also ?? []).map(({ message }) => message)];
    }
  };
  assert.deepEqual(told('kind: project\nname: web\n   folder: /srv\n'), [
    '2: The next line is indented as if it belonged to this value: the indentation is wrong',
  ]);
  assert.deepEqual(told('kind: project\n\tname: web\n'), [
    '2: A tab stands where the line is indented: use spaces',
  ]);
  assert.deepEqual(told('# nothing yet\n'), ['undefined: The file holds no document']);
});

const STRATEGY = `
kind: strategy
name: careful
steps:
  datacenter:
    - guard
    - drain
    - stop
    - install
    - id: migrate
      action: host.run@1
      with: { argv: [bin/migrate], tries: 3 }
    - start
    - enable
`;

test('the steps of a strategy are checked against the schemas of their actions, with file and line', () => {
  assert.deepEqual(said(STRATEGY), [
    '6:5 steps.datacenter config_invalid: The steps have no verify, which protects | Add it, or write `without: [verify]` if it is left out on purpose.',
    '12:43 steps.datacenter[4].with.tries config_invalid: host.run@1 has no input "tries" | There is: argv, env, cwd, sudoUser, graceMs.',
  ]);
  const inPlace = placed(
    '- { name: web-1, address: a, member: web/web-1 }\n',
    'strategy: { without: [drain] }\n',
  );
  assert.deepEqual(said(inPlace), [
    '13:22 strategy.without config_invalid: `without` says what `steps` leaves out, and there are no steps | List the steps, or take `without` out.',
  ]);
});

const owned = (environment: string, more: string) =>
  `${placed('- { name: web-1, address: a, member: web/web-1 }\n', more).replace('haproxy.sock } }\n', `haproxy.sock } }\n${environment}\n`)}` +
  '\n---\nkind: strategy\nname: careful\n---\nkind: strategy\nname: fast\nparallel: 50\n';

test('an environment owns the strategies that projects choose from', () => {
  const own = 'strategies: [careful]';
  assert.deepEqual(said(owned(own, 'strategy: careful\n')), []);
  const [other] = said(owned(own, 'strategy: fast\n'));
  assert.match(
    other ?? '',
    /^14:11 strategy config_invalid: The strategy "fast" is not one of those of production \| /,
  );
  const [none] = said(owned(own, ''));
  assert.match(
    none ?? '',
    /config_invalid: production has strategies of its own, and this project names none/,
  );
  const [inPlace] = said(owned(own, 'strategy: { parallel: 50 }\n'));
  assert.match(
    inPlace ?? '',
    /^14:11 strategy .*names none of them \| Write `strategy:` and one of careful\.$/,
  );
  const [unknown] = said(owned('strategies: [carefull]', 'strategy: careful\n'));
  assert.match(
    unknown ?? '',
    /^\d+:14 strategies\[0\] config_reference: There is no strategy "carefull" \| .*careful/,
  );
});

test('what an environment has locked no project sets otherwise for itself', () => {
  const locked = 'locked: [minInService, canary, onFailure]';
  assert.deepEqual(said(owned(locked, 'notifications: false\npolicy: { holdLimitMs: 1 }\n')), []);
  const more =
    'canary: false\npolicy: { minInService: 0, onFailure: { health: pause } }\nfloors: { web: 0 }\n';
  const messages = said(owned(locked, more)).map((line) => line.split(' | ')[0]);
  assert.deepEqual(messages.toSorted(), [
    '14:9 canary config_invalid: canary is locked in production',
    '15:25 policy.minInService config_invalid: minInService is locked in production',
    '15:39 policy.onFailure config_invalid: onFailure is locked in production',
    '16:16 floors.web config_invalid: minInService is locked in production',
  ]);
});

test('approvals, and where a release comes from, can be locked', () => {
  const locked = 'locked: [approvals, after]';
  const more = 'policy: { approvals: { count: 0 }, after: [production] }\n';
  assert.deepEqual(
    said(owned(locked, more))
      .map((line) => line.split(' | ')[0])
      .toSorted(),
    [
      '14:22 policy.approvals config_invalid: approvals is locked in production',
      '14:43 policy.after config_invalid: after is locked in production',
      '14:44 policy.after[0] config_invalid: A release cannot come to production after it came to production',
    ],
  );
});

test('the environments that a release must come from first exist, and are others', () => {
  const after = (names: string) => said(`${ENVIRONMENT}policy: { after: [${names}] }\n`);
  assert.deepEqual(after('stagin'), [
    '6:19 policy.after[0] config_reference: There is no environment "stagin" | There is none yet.',
  ]);
  assert.match(after('production')[0] ?? '', /cannot come to production after it came to production/);
  assert.match(after('a, a')[0] ?? '', /each environment once/);
});

test('metrics of an analysis come from sources that the environment has, if it has any', () => {
  const metrics = 'metrics: { prometheus: { kind: prometheus, url: "https://prometheus.example.net" } }';
  const analysis = (source: string) =>
    `analysis: { metrics: [{ name: errors, source: ${source}, query: errors }] }\n`;
  assert.deepEqual(said(owned(metrics, analysis('prometheus'))), []);
  assert.deepEqual(said(owned(metrics, analysis('promethius'))), [
    '14:47 analysis.metrics[0].source config_reference: There is no source of metrics "promethius" | Did you mean "prometheus"?',
  ]);
  assert.deepEqual(said(owned('', analysis('promethius'))), []);
});

test('what balancers count needs no source and no query, and every other metric needs both', () => {
  const metrics = 'metrics: { prometheus: { kind: prometheus, url: "https://prometheus.example.net" } }';
  const analysis = (metric: string) => `analysis: { metrics: [{ name: errors, ${metric} }] }\n`;
  assert.deepEqual(said(owned('', analysis('source: balancer'))), []);
  assert.deepEqual(said(owned(metrics, analysis('source: balancer'))), []);
  const wrong = (metric: string) => said(owned(metrics, analysis(metric)));
  assert.equal(wrong('source: prometheus').length, 1);
  assert.match(
    wrong('source: prometheus')[0] ?? '',
    /^14:\d+ analysis\.metrics\[0\]\.query config_invalid: .*what is asked of prometheus; only `source: balancer` has no query/,
  );
  assert.match(
    wrong('source: balancer, query: errors')[0] ?? '',
    /^14:\d+ analysis\.metrics\[0\]\.query config_invalid: .*is asked nothing: leave it out/,
  );
  const named = metrics.replace('{ prometheus:', '{ balancer:');
  assert.match(
    said(owned(named, ''))[0] ?? '',
    /^9:\d+ metrics\.balancer config_invalid: .*a name of its own/,
  );
});

for (const [kind, { config }] of Object.entries(METRIC_SOURCES))
  test(`a source of the kind ${kind} is told as it is in the guide, and a slip in it is named with its line`, () => {
    const told = (source: object) => said(owned(`metrics: { own: ${JSON.stringify(source)} }`, ''));
    assert.deepEqual(told(config), []);
    assert.match(
      told({ ...config, delyMs: 1 })[0] ?? '',
      /^\d+:\d+ metrics\.own.* config_invalid: .*delyMs.*Did you mean "delayMs"\?/,
    );
    assert.match(told({ ...config, delayMs: -1 })[0] ?? '', /^\d+:\d+ metrics\.own\.delayMs config_invalid/);
  });

test('each source in the guide can be told as it stands there', () => {
  const guide = readFileSync(new URL('../../docs/guides/canaries.md', import.meta.url), 'utf8');
  const told = [...guide.matchAll(/^\| `[\w-]+`.*? \| `(\{ kind: .*? \})` \|/gm)].map(([, source]) => source);
  assert.equal(told.length, Object.keys(METRIC_SOURCES).length);
  for (const source of told) assert.deepEqual(said(owned(`metrics: { own: ${source} }`, '')), []);
});

test('keys of a source, and what the SDK of AWS proves itself by, are not sent in the clear either', () => {
  const told = (source: string) => said(owned(`metrics: { own: ${source} }`, ''))[0] ?? '';
  const key = '{ source: env, name: K }';
  assert.match(
    told(`{ kind: datadog, url: "http://api.datadoghq.eu", apiKey: ${key}, applicationKey: ${key} }`),
    /metrics\.own\.url config_invalid: .*keys go over https only, or to this machine/,
  );
  assert.match(
    told(`{ kind: cloudwatch, region: eu-central-1, endpoint: "http://aws.example.net" }`),
    /metrics\.own\.endpoint config_invalid: .*credentials go over https only/,
  );
  assert.match(
    told(`{ kind: graphite, url: "http://127.0.0.1:80@evil.example.net", credentials: { token: ${key} } }`),
    /credentials go over https only/,
  );
});

test('credentials of a source of metrics are sent in the clear to nobody but this machine', () => {
  const source = (url: string) =>
    `metrics: { graphite: { kind: prometheus, url: "${url}", credentials: { token: { source: env, name: T } } } }`;
  assert.deepEqual(said(owned(source('https://prometheus.example.net'), '')), []);
  assert.deepEqual(said(owned(source('http://127.0.0.1:9090'), '')), []);
  assert.match(
    said(owned(source('http://prometheus.example.net'), ''))[0] ?? '',
    /credentials go over https only, or to this machine/,
  );
});
