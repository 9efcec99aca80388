// Who may import whom. The tables are the architecture; the rules below are made from them.
// Tests (*.test.ts) are exempt from the folder rules: they may use memory adapters and test/.

/** Folder of src/ -> what it may import of src/. Entries are folders, or files where only a part of a folder is meant. */
const mayImport = {
  lib: [],
  domain: ['lib'],
  config: ['domain', 'lib'],
  plan: ['domain', 'lib'],
  analysis: ['domain', 'lib'],
  ports: ['domain', 'lib'],
  engine: ['domain', 'ports', 'lib'],
  actions: ['domain', 'ports', 'analysis', 'lib'],
  platforms: ['domain', 'plan', 'ports', 'actions', 'analysis', 'lib'],
  worker: [
    'domain',
    'lib',
    ...['action', 'bell', 'clock', 'load-balancer', 'task-board'].map((port) => `ports/${port}.ts`),
  ],
  adapters: ['domain', 'ports', 'lib', 'outbound'],
  outbound: ['domain', 'lib', 'ports/probe.ts'],
  projections: ['domain', 'ports', 'lib'],
  operations: ['domain', 'config', 'plan', 'engine', 'ports', 'projections', 'lib'],
  api: ['domain', 'operations', 'projections', 'lib'],
  words: ['api/contract.ts', 'domain', 'lib'],
  cli: [
    'words',
    'api/contract.ts',
    'api/client.ts',
    'api/inert-client.ts',
    'api/upload.ts',
    'analysis',
    'domain',
    'lib',
  ],
  simulation: [
    'domain',
    'plan',
    'engine',
    'worker',
    'actions',
    'platforms',
    'operations',
    'ports',
    'lib',
    'adapters/memory',
  ],
  lab: ['domain', 'lib'],
};

/** Each of their subfolders is an island: `adapters/x` never imports `adapters/y`, nor `platforms/x` `platforms/y`. */
const islands = ['adapters', 'platforms'];

/** Adapters that share the SQL of adapters/sql. */
const sqlAdapters = ['sqlite', 'mysql', 'memory'];

/** Pure folder -> the packages it may import. No Node module and no other package. */
const pureFolders = {
  lib: [],
  domain: ['zod'],
  config: ['zod', 'yaml', 'csv-parse'],
  plan: [],
  analysis: [],
  ports: [],
  engine: [],
  projections: [],
  words: [],
};

/** Driver package (or scope) -> the only folders that may import it. */
const driverHomes = {
  'ssh2/': ['src/adapters/ssh', 'src/lab'],
  'undici/': ['src/outbound', 'src/lab'],
  'mysql2/': ['src/adapters/mysql'],
  'amqplib/': ['src/adapters/rabbitmq'],
  '@aws-sdk/': ['src/adapters'],
  '@smithy/': ['src/adapters'],
  '@elastic/': ['src/adapters/elasticsearch'],
};

const tests = '\\.test\\.ts$';
const entries = '^src/(main|roles|demo|data-folder|compose|plugins|world)\\.ts$';
const packages = '(^|/)node_modules/';
const nodeModules =
  '^(node:)?(assert|buffer|child_process|events|fs|http|https|net|os|path|process|sqlite|stream|timers|tls|url|util|worker_threads|zlib)(/|$)';

/** A pattern for these folders and files of src/, and for nothing that merely starts like them. */
const inSource = (names) => `^src/(${names.map((name) => name.replaceAll('.', '\\.')).join('|')})(/|$)`;
/** The code of these folders, without its tests. */
const code = (names) => ({ path: inSource(names), pathNot: [tests] });
const allCode = { path: '^src/', pathNot: [tests] };

const folderRules = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `folder-${folder}`,
  comment: `src/${folder} imports only: ${[folder, ...allowed].join(', ')}.`,
  from: code([folder]),
  to: { path: '^src/', pathNot: [inSource([folder, ...allowed]), entries, tests] },
}));

const islandRules = islands.map((folder) => ({
  name: `${folder}-are-islands`,
  comment: `One of src/${folder} never imports another: share through domain, ports or lib.`,
  from: { path: `^src/${folder}/([^/]+)/`, pathNot: [tests] },
  to: { path: `^src/${folder}/`, pathNot: [`^src/${folder}/$1/`, '^src/adapters/sql/'] },
}));

const pureRules = Object.entries(pureFolders).flatMap(([folder, allowed]) => {
  const comment = `src/${folder} is pure: what it needs of the world comes in through arguments and ports.`;
  return [
    {
      name: `pure-folders-do-no-io:${folder}:node`,
      comment,
      from: { path: inSource([folder]), pathNot: [tests, '^src/lib/hash\\.ts$'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: `pure-folders-do-no-io:${folder}:packages`,
      comment,
      from: code([folder]),
      to: { path: packages, pathNot: allowed.map((name) => `${packages}${name}/`) },
    },
  ];
});

const driverRules = Object.entries(driverHomes).map(([driver, homes]) => ({
  name: `drivers-live-in-adapters:${driver}`,
  comment: `${driver} is imported only in ${homes.join(', ')}.`,
  from: { path: '^src/', pathNot: [tests, ...homes.map((home) => `^${home}/`)] },
  to: { path: `${packages}(@types/)?${driver}` },
}));

const otherRules = [
  {
    name: 'known-folders-only',
    comment: 'A new folder needs a row in the table of .dependency-cruiser.mjs.',
    from: { path: '^src/[^/]+/', pathNot: [inSource(Object.keys(mayImport))] },
    to: {},
  },
  {
    name: 'entries-are-not-imported',
    comment: 'main.ts, compose.ts and world.ts see everything; nothing sees them.',
    from: { path: '^src/', pathNot: [tests, entries] },
    to: { path: entries },
  },
  {
    name: 'no-cycles',
    comment: 'A cycle, even of types only, is two modules that are really one.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'hash-needs-only-crypto',
    comment: 'The one file of src/lib that imports a Node module imports node:crypto.',
    from: { path: '^src/lib/hash\\.ts$' },
    to: { dependencyTypes: ['core'], pathNot: ['^(node:)?crypto$'] },
  },
  {
    name: 'only-sql-adapters-share-sql',
    comment: `src/adapters/sql is for ${sqlAdapters.join(', ')}.`,
    from: {
      path: '^src/adapters/',
      pathNot: [tests, ...['sql', ...sqlAdapters].map((name) => `^src/adapters/${name}/`)],
    },
    to: { path: '^src/adapters/sql/' },
  },
  {
    name: 'only-compose-picks-adapters',
    comment:
      'With world.ts, its part for hosts and balancers, and data-folder.ts; everything else speaks to a port.',
    from: {
      path: '^src/',
      pathNot: [tests, '^src/((compose|world|data-folder)\\.ts$|adapters/|simulation/)'],
    },
    to: { path: '^src/adapters/' },
  },
  {
    name: 'only-compose-starts-simulations',
    comment:
      'Everything else speaks to the port Simulator; the server loads none of it before a plan is simulated.',
    from: { path: '^src/', pathNot: [tests, '^src/simulation/'] },
    to: { path: '^src/simulation/', pathNot: ['^src/simulation/plan/threads\\.ts$'] },
  },
  {
    name: 'ports-are-types-only:from',
    comment: 'A port imports types.',
    from: code(['ports']),
    to: { path: '^src/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'ports-are-types-only:to',
    comment: 'A port is imported as a type: it holds no code.',
    from: allCode,
    to: { path: '^src/ports/', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'workers-see-no-database',
    comment: 'A worker may run where no database is; it speaks the TaskBoard.',
    from: code(['worker']),
    to: {
      path: [
        '^src/adapters/',
        '^src/ports/(journal|records|views)\\.ts$',
        `${packages}mysql2/`,
        '^(node:)?sqlite$',
      ],
      reachable: true,
    },
  },
  {
    name: 'cli-speaks-http-only',
    comment: 'The CLI is a client of the API like any other.',
    from: code(['cli']),
    to: { path: ['^src/(operations|engine|worker|adapters)/', entries], reachable: true },
  },
  {
    name: 'web-sees-only-the-contract',
    comment: 'The page is a client of the API like any other, and shares the nouns and the small helpers.',
    from: { path: '^web/', pathNot: [tests] },
    to: {
      path: ['^src/', '^scripts/', '^bench/'],
      pathNot: ['^src/(api/(contract|client|inert-client)\\.ts$|words/|domain/|lib/)'],
    },
  },
  {
    name: 'web-runs-in-browsers',
    comment:
      'Nothing that the page loads, however far away, imports a module of Node; of src/lib/hash.ts nothing is left in it.',
    from: { path: '^web/', pathNot: [tests] },
    to: { path: nodeModules, reachable: true },
  },
  {
    name: 'nothing-imports-the-page',
    comment: 'The server gives its built files, and loads none of its code.',
    from: { path: '^(src|bench)/' },
    to: { path: '^web/' },
  },
  {
    name: 'no-test-code-in-src',
    comment: 'What runs in production does not need the tests.',
    from: allCode,
    to: { path: ['^test/', '^bench/', tests, `${packages}(fast-check|vitest)/`, '^node:test'] },
  },
  {
    name: 'no-undeclared-package:src',
    comment: 'A package that src/ imports is listed in dependencies.',
    from: allCode,
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'npm-bundled'] },
  },
  {
    name: 'no-undeclared-package',
    comment: 'A package that is imported is listed in package.json.',
    from: { pathNot: ['^src/(?!.*\\.test\\.ts$)'] },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'no-unresolved',
    comment: 'The import leads nowhere.',
    from: {},
    to: { couldNotResolve: true },
  },
];

const rules = [...folderRules, ...islandRules, ...pureRules, ...driverRules, ...otherRules];

export default {
  forbidden: rules.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true, // type imports are dependencies of the design
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
