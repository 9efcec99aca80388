// The fixture of architecture.test.ts: a tree that is allowed, and what each rule must find on top of it.

export interface Planted {
  /** File -> the lines it holds. */
  readonly files: Readonly<Record<string, string>>;
  /** `rule: from -> to`, all that must be found and nothing else. */
  readonly broken: readonly string[];
}

const type = (path: string) => `import type { X } from '${path}'; export type Y = X;`;
const value = (path: string) => `import { x } from '${path}'; export const y = x;`;
const leaf = 'export const x = 1; export type X = typeof x;';
const portLeaf = 'export interface X { readonly id: string }';

export const installed = [
  'ssh2',
  'undici',
  'mysql2',
  'amqplib',
  '@aws-sdk/client-ecs',
  '@smithy/types',
  '@elastic/elasticsearch',
  'zod',
  'yaml',
  'fastify',
];

export const forDevelopment = ['fast-check', 'for-development'];

/** Imports that must stay allowed: a rule that refuses everything would prove nothing. */
export const allowed: Readonly<Record<string, string>> = {
  'src/lib/x.ts': leaf,
  'src/lib/hash.ts': value('node:crypto'),
  'src/domain/x.ts': leaf,
  'src/domain/schema.ts': `${value('zod')} export * as lib from '../lib/x.ts';`,
  'src/config/x.ts': leaf,
  'src/config/file.ts': value('yaml'),
  'src/plan/x.ts': leaf,
  'src/plan/x.test.ts': `${value('node:fs')} import '../adapters/memory/x.ts'; import 'fast-check';`,
  'src/ports/task-board.ts': type('../domain/x.ts'),
  'src/ports/clock.ts': portLeaf,
  'src/ports/journal.ts': portLeaf,
  'src/ports/x.ts': portLeaf,
  'src/engine/x.ts': leaf,
  'src/engine/driver.ts': type('../ports/journal.ts'),
  'src/actions/x.ts': leaf,
  'src/platforms/one/x.ts': leaf,
  'src/platforms/one/plan.ts': value('../../plan/x.ts'),
  'src/platforms/two/x.ts': leaf,
  'src/worker/x.ts': leaf,
  'src/worker/claim.ts': type('../ports/task-board.ts'),
  'src/adapters/sql/x.ts': leaf,
  'src/adapters/sqlite/x.ts': `${value('../sql/x.ts')} import 'node:sqlite';`,
  'src/adapters/mysql/x.ts': `${value('../sql/x.ts')} import 'mysql2';`,
  'src/adapters/memory/x.ts': leaf,
  'src/adapters/ssh/x.ts': `import 'ssh2'; ${leaf}`,
  'src/adapters/f5/x.ts': value('../../outbound/x.ts'),
  'src/outbound/x.ts': `import 'undici'; ${leaf}`,
  'src/operations/x.ts': leaf,
  'src/operations/start.ts': value('../engine/x.ts'),
  'src/projections/x.ts': leaf,
  'src/api/contract.ts': leaf,
  'src/api/client.ts': value('./contract.ts'),
  'src/api/routes.ts': `import 'fastify'; ${value('../operations/start.ts')}`,
  'src/words/x.ts': type('../api/contract.ts'),
  'src/cli/x.ts': `${value('../api/client.ts')} import 'node:fs'; import '../words/x.ts';`,
  'web/src/x.tsx': `${value('../../src/api/client.ts')} import '../../src/words/x.ts'; import '../../src/lib/hash.ts';`,
  'src/simulation/x.ts': value('../adapters/memory/x.ts'),
  'src/lab/x.ts': "import 'ssh2'; import 'undici'; import 'node:net'; export const x = 1;",
  'src/compose.ts': `${value('./adapters/ssh/x.ts')} import './platforms/one/x.ts'; import './engine/x.ts';`,
  'src/main.ts': "import './compose.ts'; import './cli/x.ts';",
  'test/helper.ts': leaf,
};

export const planted: Readonly<Record<string, Planted>> = {
  'a folder imports only what its row says': {
    files: {
      'src/lib/bad.ts': value('../domain/x.ts'),
      'src/domain/bad.ts': value('../config/x.ts'),
      'src/config/bad.ts': value('../plan/x.ts'),
      'src/plan/bad.ts': type('../engine/x.ts'),
      'src/analysis/bad.ts': type('../ports/x.ts'),
      'src/ports/bad.ts': type('../plan/x.ts'),
      'src/engine/bad.ts': value('../plan/x.ts'),
      'src/actions/bad.ts': value('../plan/x.ts'),
      'src/platforms/one/bad.ts': value('../../worker/x.ts'),
      'src/worker/bad.ts': value('../actions/x.ts'),
      'src/worker/bad-port.ts': type('../ports/x.ts'),
      'src/adapters/f5/bad.ts': value('../../plan/x.ts'),
      'src/outbound/bad.ts': type('../ports/x.ts'),
      'src/projections/bad.ts': value('../operations/x.ts'),
      'src/operations/bad.ts': value('../worker/x.ts'),
      'src/api/bad.ts': value('../plan/x.ts'),
      'src/words/bad.ts': value('../projections/x.ts'),
      'src/cli/bad.ts': value('../projections/x.ts'),
      'src/simulation/bad.ts': value('../config/x.ts'),
      'src/lab/bad.ts': value('../engine/x.ts'),
    },
    broken: [
      'folder-lib: src/lib/bad.ts -> src/domain/x.ts',
      'folder-domain: src/domain/bad.ts -> src/config/x.ts',
      'folder-config: src/config/bad.ts -> src/plan/x.ts',
      'folder-plan: src/plan/bad.ts -> src/engine/x.ts',
      'folder-analysis: src/analysis/bad.ts -> src/ports/x.ts',
      'folder-ports: src/ports/bad.ts -> src/plan/x.ts',
      'folder-engine: src/engine/bad.ts -> src/plan/x.ts',
      'folder-actions: src/actions/bad.ts -> src/plan/x.ts',
      'folder-platforms: src/platforms/one/bad.ts -> src/worker/x.ts',
      'folder-worker: src/worker/bad.ts -> src/actions/x.ts',
      'folder-worker: src/worker/bad-port.ts -> src/ports/x.ts',
      'folder-adapters: src/adapters/f5/bad.ts -> src/plan/x.ts',
      'folder-outbound: src/outbound/bad.ts -> src/ports/x.ts',
      'folder-projections: src/projections/bad.ts -> src/operations/x.ts',
      'folder-operations: src/operations/bad.ts -> src/worker/x.ts',
      'folder-api: src/api/bad.ts -> src/plan/x.ts',
      'folder-words: src/words/bad.ts -> src/projections/x.ts',
      'folder-cli: src/cli/bad.ts -> src/projections/x.ts',
      'folder-simulation: src/simulation/bad.ts -> src/config/x.ts',
      'folder-lab: src/lab/bad.ts -> src/engine/x.ts',
    ],
  },
  'adapters and platforms are islands': {
    files: {
      'src/adapters/ssh/bad.ts': value('../f5/x.ts'),
      'src/adapters/memory/bad.ts': value('../ssh/x.ts'),
      'src/adapters/f5/bad.ts': value('../sql/x.ts'),
      'src/platforms/one/bad.ts': value('../two/x.ts'),
    },
    broken: [
      'adapters-are-islands: src/adapters/ssh/bad.ts -> src/adapters/f5/x.ts',
      'adapters-are-islands: src/adapters/memory/bad.ts -> src/adapters/ssh/x.ts',
      'only-sql-adapters-share-sql: src/adapters/f5/bad.ts -> src/adapters/sql/x.ts',
      'platforms-are-islands: src/platforms/one/bad.ts -> src/platforms/two/x.ts',
    ],
  },
  'pure folders import no Node module and no package but their own': {
    files: {
      'src/lib/bad.ts': "import 'node:fs'; import 'zod';",
      'src/lib/hash.ts': "import 'node:crypto'; import 'node:fs';",
      'src/domain/bad.ts': "import 'node:crypto'; import 'yaml';",
      'src/config/bad.ts': "import 'node:fs'; import 'fastify';",
      'src/plan/bad.ts': "import 'node:path'; import 'zod';",
      'src/analysis/bad.ts': "import 'node:util'; import 'zod';",
      'src/ports/bad.ts': "import type { X } from 'node:stream'; import type { Y } from 'zod';",
      'src/engine/bad.ts': "import 'node:timers'; import 'zod';",
      'src/projections/bad.ts': "import 'node:events'; import 'zod';",
      'src/words/bad.ts': "import 'node:util'; import 'zod';",
    },
    broken: [
      'pure-folders-do-no-io:lib:node: src/lib/bad.ts -> fs',
      'pure-folders-do-no-io:lib:packages: src/lib/bad.ts -> zod',
      'hash-needs-only-crypto: src/lib/hash.ts -> fs',
      'pure-folders-do-no-io:domain:node: src/domain/bad.ts -> crypto',
      'pure-folders-do-no-io:domain:packages: src/domain/bad.ts -> yaml',
      'pure-folders-do-no-io:config:node: src/config/bad.ts -> fs',
      'pure-folders-do-no-io:config:packages: src/config/bad.ts -> fastify',
      'pure-folders-do-no-io:plan:node: src/plan/bad.ts -> path',
      'pure-folders-do-no-io:plan:packages: src/plan/bad.ts -> zod',
      'pure-folders-do-no-io:analysis:node: src/analysis/bad.ts -> util',
      'pure-folders-do-no-io:analysis:packages: src/analysis/bad.ts -> zod',
      'pure-folders-do-no-io:ports:node: src/ports/bad.ts -> stream',
      'pure-folders-do-no-io:ports:packages: src/ports/bad.ts -> zod',
      'pure-folders-do-no-io:engine:node: src/engine/bad.ts -> timers',
      'pure-folders-do-no-io:engine:packages: src/engine/bad.ts -> zod',
      'pure-folders-do-no-io:projections:node: src/projections/bad.ts -> events',
      'pure-folders-do-no-io:projections:packages: src/projections/bad.ts -> zod',
      'pure-folders-do-no-io:words:node: src/words/bad.ts -> util',
      'pure-folders-do-no-io:words:packages: src/words/bad.ts -> zod',
      'web-runs-in-browsers: web/src/x.tsx -> fs',
    ],
  },
  'a driver is imported only where it lives': {
    files: {
      'src/adapters/f5/bad.ts':
        "import 'ssh2'; import 'undici'; import 'mysql2'; import 'amqplib'; import '@elastic/elasticsearch';",
      'src/api/bad.ts': "import type { X } from '@aws-sdk/client-ecs'; import '@smithy/types';",
    },
    broken: [
      'drivers-live-in-adapters:ssh2/: src/adapters/f5/bad.ts -> ssh2',
      'drivers-live-in-adapters:undici/: src/adapters/f5/bad.ts -> undici',
      'drivers-live-in-adapters:mysql2/: src/adapters/f5/bad.ts -> mysql2',
      'drivers-live-in-adapters:amqplib/: src/adapters/f5/bad.ts -> amqplib',
      'drivers-live-in-adapters:@elastic/: src/adapters/f5/bad.ts -> @elastic/elasticsearch',
      'drivers-live-in-adapters:@aws-sdk/: src/api/bad.ts -> @aws-sdk/client-ecs',
      'drivers-live-in-adapters:@smithy/: src/api/bad.ts -> @smithy/types',
    ],
  },
  'a folder without a row is refused': {
    files: { 'src/helpers/bad.ts': value('../lib/x.ts') },
    broken: ['known-folders-only: src/helpers/bad.ts -> src/lib/x.ts'],
  },
  'nothing imports main or compose': {
    files: { 'src/lab/bad.ts': "import '../compose.ts';" },
    broken: ['entries-are-not-imported: src/lab/bad.ts -> src/compose.ts'],
  },
  'cycles are refused, of types too': {
    files: {
      'src/domain/a.ts': "import type { B } from './b.ts'; export type A = B;",
      'src/domain/b.ts': "import type { A } from './a.ts'; export type B = A;",
    },
    broken: ['no-cycles: src/domain/a.ts -> src/domain/b.ts'],
  },
  'only compose.ts picks adapters': {
    files: { 'src/main.ts': "import './compose.ts'; import './adapters/ssh/x.ts';" },
    broken: ['only-compose-picks-adapters: src/main.ts -> src/adapters/ssh/x.ts'],
  },
  'a simulation is started by its threads, and by nothing else': {
    files: { 'src/main.ts': "import './compose.ts'; import './simulation/x.ts';" },
    broken: ['only-compose-starts-simulations: src/main.ts -> src/simulation/x.ts'],
  },
  'a port is types and nothing else': {
    files: { 'src/ports/bad.ts': value('../domain/x.ts'), 'src/actions/bad.ts': value('../ports/x.ts') },
    broken: [
      'ports-are-types-only:from: src/ports/bad.ts -> src/domain/x.ts',
      'ports-are-types-only:to: src/actions/bad.ts -> src/ports/x.ts',
    ],
  },
  'a worker reaches no database, not even through others': {
    files: { 'src/lib/bad.ts': value('node:sqlite'), 'src/worker/bad.ts': value('../lib/bad.ts') },
    broken: [
      'pure-folders-do-no-io:lib:node: src/lib/bad.ts -> node:sqlite',
      'workers-see-no-database: src/worker/bad.ts -> node:sqlite',
    ],
  },
  'the CLI reaches the server through HTTP only': {
    files: { 'src/api/client.ts': value('../operations/x.ts') },
    broken: ['cli-speaks-http-only: src/cli/x.ts -> src/operations/x.ts'],
  },
  'the page sees the contract and what is shared, and no module of Node even through others': {
    files: {
      'web/src/bad.ts': value('../../src/operations/x.ts'),
      'web/src/far.ts': value('../../src/lib/bad.ts'),
      'src/lib/bad.ts': value('node:fs'),
    },
    broken: [
      'pure-folders-do-no-io:lib:node: src/lib/bad.ts -> fs',
      'web-runs-in-browsers: web/src/far.ts -> fs',
      'web-sees-only-the-contract: web/src/bad.ts -> src/operations/x.ts',
    ],
  },
  'nothing loads the page but a browser': {
    files: { 'src/api/bad.ts': "import '../../web/src/leaf.ts';", 'web/src/leaf.ts': leaf },
    broken: ['nothing-imports-the-page: src/api/bad.ts -> web/src/leaf.ts'],
  },
  'source does not import test code': {
    files: {
      'src/api/bad.ts': "import '../../test/helper.ts'; import 'node:test'; import '../plan/x.test.ts';",
    },
    broken: [
      'no-test-code-in-src: src/api/bad.ts -> node:test',
      'no-test-code-in-src: src/api/bad.ts -> src/plan/x.test.ts',
      'no-test-code-in-src: src/api/bad.ts -> test/helper.ts',
    ],
  },
  'a package is declared, and one that src/ imports is no devDependency': {
    files: {
      'src/api/bad.ts': "import 'undeclared'; import 'for-development';",
      'test/bad.ts': "import 'undeclared'; import 'for-development';",
    },
    broken: [
      'no-undeclared-package: test/bad.ts -> undeclared',
      'no-undeclared-package:src: src/api/bad.ts -> for-development',
      'no-undeclared-package:src: src/api/bad.ts -> undeclared',
    ],
  },
  'an import leads somewhere': {
    files: { 'src/lib/bad.ts': "import './missing.ts';" },
    broken: ['no-unresolved: src/lib/bad.ts -> ./missing.ts'],
  },
};
