import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createPrometheusMetrics } from '../../src/adapters/prometheus/metrics.ts';
import { systemSecrets } from '../../src/adapters/system/secrets.ts';
import { edgeClient } from '../../src/api/client.ts';
import type { ErrorCode, Where } from '../../src/domain/errors.ts';
import { brokenServerIn } from './broken-server.ts';
import { realClock } from './clock.ts';
import { apply, type Estate, serverIn, settingsWith, usedFolder } from './error-estate.ts';
import {
  type Told,
  throughApi,
  throughCli,
  throughDoctor,
  throughPort,
  throughProcess,
} from './error-ways.ts';

/** One way to meet an error: what is asked for in the estate, and what must be said then. */
export type ErrorRow = {
  readonly ask: (estate: Estate) => Promise<readonly Told[]>;
  /** The message names the thing. */
  readonly says: RegExp;
  /** Left out: there is no place beside what the message names. */
  readonly where?: Where | ((estate: Estate) => Where);
  /** In place of the advice of the catalogue, where the error knows better. */
  readonly hint?: RegExp;
  /** What else is wrong, told at the same time. */
  readonly also?: readonly string[];
  /** Whose database must stay as it is; the estate's own if left out. */
  readonly data?: (estate: Estate) => Promise<string>;
  /** It takes long, so it is asked before all others, and goes on beside them. */
  readonly early?: boolean;
  /** A real sshd is part of the world. */
  readonly needsSshd?: boolean;
  /** The answer of the API is a report or there is none: the error has no HTTP status. */
  readonly noStatus?: boolean;
};

/** A command line of an administrator, or with other settings. */
const command =
  (line: string, settings: Partial<Estate['settings']> = {}) =>
  (estate: Estate): Promise<readonly Told[]> =>
    throughCli(words(line, estate), {
      settings: { ...estate.settings, ...settings },
      folder: estate.folder,
    });

const words = (line: string, { slow, ended, waiting }: Estate): readonly string[] => {
  const ids: Readonly<Record<string, string>> = { SLOW: slow, ENDED: ended, WAITING: waiting };
  return line.split(' ').map((word) => ids[word] ?? word);
};

const doctor = (environment: string) => (estate: Estate) =>
  throughDoctor(['shop', environment], { settings: estate.settings });

/** `edge apply` of one file with this text. */
const applying = (file: string, text: string) => async (estate: Estate) => {
  await writeFile(join(estate.folder, file), text);
  return command(`apply -f ${file}`)(estate);
};

/** A real process on a data folder of its own, that a server has used before. */
const processOn = (name: string, line: string, spoil?: (folder: string) => Promise<void>) => {
  let made: Promise<string> | undefined;
  const data = (estate: Estate) => {
    made ??= usedFolder(estate, name).then(async (folder) => {
      await spoil?.(folder);
      return folder;
    });
    return made;
  };
  const ask = async (estate: Estate) => throughProcess([...line.split(' '), '--data', await data(estate)]);
  return { data, ask };
};

const placeFrom = (path: string): string =>
  `kind: project-environment\nproject: shop\nenvironment: lab\ntargets: { from: file, path: ${path} }\n`;

/** A server of its own, whose artifact store holds 10 bytes. */
async function intoNoRoom(estate: Estate): Promise<readonly Told[]> {
  const server = await serverIn(join(estate.folder, 'no-room'), { artifactBytes: 10 });
  await writeFile(join(estate.folder, 'eleven'), 'eleven byte');
  try {
    return await command('releases create shop 1.0.0 --upload -a shop.jar=eleven', {
      server: server.url,
      token: String(server.token),
    })(estate);
  } finally {
    await server.stop();
  }
}

/** So many points of a Prometheus that is said to be there. */
async function askingMetrics(url: string, points = 1): Promise<readonly Told[]> {
  const source = createPrometheusMetrics(
    { url, tls: 'none', timeoutMs: 10_000, delayMs: 0 },
    { clock: realClock, secrets: systemSecrets({}) },
  );
  const query = { text: 'up', fromMs: 0, toMs: points - 1, stepMs: 1 };
  try {
    return await throughPort(source.query(query, new AbortController().signal));
  } finally {
    await source.close();
  }
}

const HUGE = 20_001;

const THREE_MISTAKES = `kind: project
name: web
folder: srv/web
helth: {}
commands:
  start: bin/start
`;

export const ROWS: Readonly<Record<ErrorCode, ErrorRow>> = {
  usage_invalid: {
    ask: () => throughProcess(['deplyo']),
    says: /'deplyo'/,
    hint: /Did you mean deploy\?/,
    noStatus: true,
  },
  request_invalid: {
    ask: command('token create night-shift --role worker'),
    says: /token names its pool/,
    where: { path: 'pool' },
    hint: /--pool/,
  },
  route_unknown: {
    ask: ({ settings }) => throughApi(settings, { method: 'GET', path: '/v1/projcts?x=1' }),
    says: /GET \/v1\/projcts$/,
  },
  config_unreadable: {
    ask: command('apply -f prod.yaml'),
    says: /prod\.yaml cannot be read: there is no such file/,
    where: { file: 'prod.yaml' },
    noStatus: true,
  },
  config_syntax: {
    ask: applying('tab.yaml', 'kind: project\n\tname: web\n'),
    says: /A tab .* use spaces/,
    where: { file: 'tab.yaml', line: 2, column: 1 },
  },
  config_invalid: {
    ask: applying('three.yaml', THREE_MISTAKES),
    says: /folder: must be an absolute path/,
    where: { file: 'three.yaml', line: 3, column: 9, path: 'folder' },
    also: [
      'three.yaml:4:1 a project has no field "helth" Did you mean "health"?',
      'three.yaml:6:10 commands.start: must be a list of arguments, such as [bin/start, --port, "8080"] Mend the value that is named; docs/reference/configuration.md lists every field.',
    ],
  },
  config_reference: {
    ask: applying(
      'place.yaml',
      'kind: project-environment\nproject: shpo\nenvironment: lab\ntargets: [{ name: a, address: a }]\n',
    ),
    says: /"shpo"/,
    where: { file: 'place.yaml', line: 2, column: 10, path: 'project' },
    hint: /Did you mean "shop"\?/,
  },
  config_duplicate: {
    ask: applying('twice.yaml', 'kind: strategy\nname: calm\n---\nkind: strategy\nname: calm\n'),
    says: /strategy calm is defined twice/,
    where: { file: 'twice.yaml', line: 4, column: 1 },
    hint: /twice\.yaml:1/,
  },
  project_unknown: { ask: command('deploy shpo lab 1.0.0'), says: /"shpo"/, hint: /Did you mean "shop"\?/ },
  environment_unknown: { ask: command('restart shop lba'), says: /"lba"/, hint: /Did you mean "lab"\?/ },
  release_unknown: {
    ask: command('deploy shop lab 1.0.1'),
    says: /"shop" has no release "1\.0\.1"/,
    hint: /Did you mean "1\.0\.0"\?/,
  },
  deployment_unknown: { ask: command('watch 01nothing'), says: /01nothing/ },
  target_unknown: {
    ask: command('retry SLOW web-3'),
    says: /"web-3"/,
    where: { target: 'web-3' },
    hint: /Did you mean "web-2"\?/,
  },
  parked_unknown: { ask: command('return shop lab web-1'), says: /"web-1"/, where: { target: 'web-1' } },
  token_missing: {
    ask: ({ settings: { server }, folder }) => throughCli(['status'], { settings: { server }, folder }),
    says: /Authorization: Bearer/,
  },
  token_invalid: { ask: command('status', { token: 'edge_of-another-server' }), says: /token is not known/ },
  permission_denied: {
    ask: (estate) => throughCli(['deploy', 'shop', 'lab', '1.0.0'], settingsWith(estate, estate.viewer)),
    says: /"viewer" lacks the permission deployment\.start/,
  },
  release_exists: {
    ask: command('releases create shop 1.0.0 -a shop.jar=artifacts/changed.jar'),
    says: /shop has a release 1\.0\.0/,
  },
  release_missing_rollback: { ask: command('rollback shop fresh'), says: /No earlier release/ },
  artifact_unreadable: {
    ask: command('deploy shop lab gone'),
    says: /artifacts\/gone\.jar cannot be read: there is no such file/,
  },
  artifact_unreachable: {
    ask: applying(
      'far.yaml',
      '{ kind: release, project: shop, version: far, artifacts: [{ name: a.jar, url: "http://127.0.0.1:9/a.jar" }] }',
    ),
    says: /a\.jar \(http:\/\/127\.0\.0\.1:9\/a\.jar\) cannot be brought: 127\.0\.0\.1:9: .*ECONNREFUSED/,
    early: true,
  },
  artifact_store_full: {
    ask: intoNoRoom,
    says: /What is sent has more than 10 bytes/,
  },
  artifact_mismatch: {
    ask: command('deploy shop lab changed'),
    says: /shop\.jar \(.*artifacts\/changed\.jar\)/,
  },
  variable_undefined: {
    ask: command('deploy shop lab unset'),
    says: /shop\.conf of unset cannot be made for web-1: line 2: \{\{host\}\} has no value here/,
    where: { target: 'web-1', path: 'shop.conf', line: 2 },
  },
  reload_impossible: {
    ask: command('deploy shop lab changed --reload'),
    says: /shop has no command to reload in lab/,
    hint: /commands\.reload/,
  },
  command_refused: {
    ask: command('plan shop restricted 1.0.0'),
    says: /The step stop would run \["sh","-c","true"\], which restricted denies by \["sh","-c","\.\.\."\]/,
    where: { path: 'commands.deny[0]' },
  },
  floor_impossible: {
    ask: command('deploy shop strict 1.0.0'),
    says: /The pool .*\/web has 2 of 2 members in service and a floor of 2/,
    where: { path: 'floors.web' },
  },
  inventory_unreachable: {
    ask: applying('place.yaml', placeFrom('/nowhere/hosts.csv')),
    says: /the file \/nowhere\/hosts\.csv: it cannot be read: there is no such file/,
    hint: /machine of the server/,
  },
  inventory_invalid: {
    ask: async (estate) => {
      const path = join(estate.folder, 'hosts.csv');
      await writeFile(path, 'name,address,port\nweb-1,10.0.0.1,80\nweb-2,10.0.0.2,http\n');
      return applying('place.yaml', placeFrom(path))(estate);
    },
    says: /hosts\.csv: line 3: port: /,
    where: ({ folder }) => ({ file: join(folder, 'hosts.csv'), line: 3, path: 'port', target: 'web-2' }),
    hint: /Mend the row/,
  },
  samples_invalid: {
    ask: async (estate) => {
      const path = join(estate.folder, 'samples.csv');
      await writeFile(path, 'time,metric,side,value\n2026-03-01T10:00:00Z,errors,both,1\n');
      return command(`judge ${path} --from 2026-03-01T10:00:00Z`)(estate);
    },
    says: /"both" is no side; it is canary or baseline/,
    noStatus: true,
    where: ({ folder }) => ({ file: join(folder, 'samples.csv'), line: 2 }),
    hint: /edge help judge/,
  },
  plan_empty: { ask: command('deploy shop lab 1.0.0'), says: /shop\/lab/, hint: /--force/ },
  plan_changed: {
    ask: ({ settings }) =>
      throughApi(settings, {
        method: 'POST',
        path: '/v1/deployments',
        body: JSON.stringify({
          ...{ project: 'shop', environment: 'fresh', version: '1.0.0', reason: 'test' },
          planHash: '0'.repeat(64),
        }),
      }),
    says: /not 000000000000/,
    where: { path: 'planHash' },
  },
  plan_too_large: hugePlan(),
  environment_locked: {
    ask: command('restart slow lab'),
    says: /slow\/lab .* by first/,
    hint: /edge abort 01/,
  },
  deployment_ended: { ask: command('abort ENDED'), says: /has ended: it succeeded/ },
  release_unproven: {
    ask: command('deploy shop later 1.0.0 --force'),
    says: /shop 1\.0\.0 comes to later only after it fully succeeded in fresh \(no deployment\)/,
    hint: /edge deploy shop fresh 1\.0\.0/,
  },
  approval_refused: { ask: command('approve WAITING'), says: /was asked for by first, with this token/ },
  verb_refused: { ask: command('resume SLOW'), says: /is running, not paused/, hint: /edge status 01/ },
  target_active: {
    ask: command('retry SLOW web-2'),
    says: /web-2 is at the step start/,
    where: { target: 'web-2' },
    hint: /edge pause 01/,
  },
  host_unreachable: host('unreachable', /db-1 \(.*:1\): .*ECONNREFUSED/),
  host_key_mismatch: host('impostor', /db-1 .* showed the key SHA256:.*; pinned is SHA256:/),
  host_key_unknown: host('stranger', /db-1 .* showed the key SHA256:.*known_hosts knows none/),
  host_auth_refused: host('refused', /db-1 .* refused the key .*identity/),
  host_unfit: { ...host('unfit', /db-1 has no sha256sum/), hint: /Install sha256sum/ },
  balancer_unreachable: {
    ask: doctor('stopped'),
    early: true,
    says: /Balancer f5: no answer within 15 s/,
    where: { path: 'balancers.f5' },
    noStatus: true,
  },
  balancer_refused: {
    ask: command('plan shop locked-out 1.0.0'),
    says: /Balancer f5: login as edge: 401/,
    where: { path: 'balancers.f5' },
  },
  balancer_member_unknown: {
    ask: command('plan shop misnamed 1.0.0'),
    says: /pool web of .* has no member "web-9:80"/,
    where: ({ balancer }) => ({ member: `${new URL(balancer.url).host}/web/web-9:80` }),
    hint: /Did you mean "web-1:80"\?/,
  },
  metrics_unreachable: {
    ask: () => askingMetrics('http://127.0.0.1:9'),
    says: /http:\/\/127\.0\.0\.1:9\/api\/v1\/query_range: .*ECONNREFUSED/,
    noStatus: true,
  },
  metrics_refused: {
    ask: ({ settings }) => askingMetrics(settings.server),
    says: /\/api\/v1\/query_range: it answers with status 404/,
    noStatus: true,
  },
  metrics_limit: {
    ask: ({ settings }) => askingMetrics(settings.server, 11_001),
    says: /11001 points, and 11000 is the most/,
    noStatus: true,
  },
  secret_unavailable: {
    ask: command('plan shop secretless 1.0.0'),
    says: /environment variable EDGE_TEST_F5_PASSWORD/,
    where: { path: 'balancers.f5' },
  },
  server_unreachable: {
    ask: command('status', { server: 'http://127.0.0.1:9' }),
    says: /http:\/\/127\.0\.0\.1:9/,
    noStatus: true,
  },
  store_unavailable: {
    ...processOn('notes', 'status', (folder) => writeFile(join(folder, 'edge.db'), 'my notes\n'.repeat(200))),
    says: /notes\/edge\.db/,
    hint: /--data/,
    noStatus: true,
  },
  store_version: {
    ...processOn('newer', 'server --listen 127.0.0.1:0', async (folder) => {
      const database = new DatabaseSync(join(folder, 'edge.db'));
      database.exec("INSERT INTO migrations (version, name, at) VALUES (99, 'of the future', 0)");
      database.close();
    }),
    says: /version 99.*newer\/edge\.db/,
    noStatus: true,
  },
  data_folder_busy: {
    ask: ({ data }) => throughProcess(['worker', '--name', 'server-default-1', '--data', data]),
    says: new RegExp(`server-default-1 .* process ${process.pid}`),
    hint: /another name/,
    noStatus: true,
  },
  listen_failed: {
    data: (estate) => LISTENING.data(estate),
    ask: async (estate) => {
      const listen = new URL(estate.settings.server).host;
      return throughProcess(['server', '--listen', listen, '--data', await LISTENING.data(estate)]);
    },
    says: /Cannot listen on 127\.0\.0\.1:\d+: /,
    noStatus: true,
  },
  settings_invalid: {
    ask: ({ data }) => throughProcess(['server', '--listen', 'here', '--data', data]),
    says: /"here"/,
    hint: /127\.0\.0\.1:7070/,
    noStatus: true,
  },
  internal: {
    data: (estate) => usedFolder(estate, 'broken'),
    ask: async ({ folder }) => {
      const server = await brokenServerIn(join(folder, 'broken'));
      try {
        return await throughCli(['token', 'list'], { settings: server.settings });
      } finally {
        await server.close();
      }
    },
    says: /the server's log has it under req-/,
  },
};

const LISTENING = processOn('listening', 'server');

function host(environment: string, says: RegExp): ErrorRow {
  return { ask: doctor(environment), says, where: { target: 'db-1' }, needsSshd: true, noStatus: true };
}

/** One target more than a plan holds, on a server of its own: every request of the others would read them too. */
function hugePlan(): ErrorRow {
  const documents = [
    { kind: 'project', name: 'huge', folder: '/srv/huge' },
    { kind: 'environment', name: 'lab', ssh: { user: 'u', identityFile: '/i', knownHosts: '/k' } },
    {
      ...{ kind: 'project-environment', project: 'huge', environment: 'lab' },
      targets: Array.from({ length: HUGE }, (_, n) => ({ name: `t${n}`, address: 'a' })),
    },
  ];
  const data = async (estate: Estate) => {
    const server = await serverIn(join(estate.folder, 'huge'));
    await apply(edgeClient({ server: server.url, token: String(server.token) }), documents);
    await server.stop();
    return join(estate.folder, 'huge');
  };
  const ask = async ({ folder }: Estate) => {
    const server = await serverIn(join(folder, 'huge'));
    const settings = { server: server.url, token: String(server.token) };
    try {
      return await throughCli(['restart', 'huge', 'lab'], { settings });
    } finally {
      await server.stop();
    }
  };
  return { data, ask, says: /has 20001 targets/ };
}
