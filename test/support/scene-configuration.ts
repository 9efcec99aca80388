import type { Front, PoolName } from './fronts.ts';
import type { MemberServer } from './member-server.ts';
import type { SshdFleet } from './sshd.ts';

export const PROJECT = 'shop';
/** Another project, for those that share a pool. */
export const OTHER = 'other';
export const ENVIRONMENT = 'dc';

type Fields = Readonly<Record<string, unknown>>;

/** What differs from the plain configuration: fields of each document. */
export type Setting = {
  /** Which project it is; `PROJECT` if it is left out. */
  readonly name?: string;
  readonly project?: Fields;
  readonly environment?: Fields;
  readonly policy?: Fields;
  readonly strategy?: Fields | string;
  readonly place?: Fields;
  /** Pools of which each server is a member; `web` if it is left out. */
  readonly pools?: readonly PoolName[];
  /** Which of the servers are targets; all if it is left out. */
  readonly targets?: readonly MemberServer[];
  /** More fields of one target. */
  readonly ofTarget?: (index: number) => Fields;
};

/** Says when it begins and ends; files beside the diary make it wait or fail. `WORK_S`: how long it takes. */
const START = `
echo "$NAME from $(date +%s%3N)" >> "$FOLDER/diary"
if [ -e "$FOLDER/$NAME.fail" ]; then echo 'no start today' >&2; exit 3; fi
while [ -e "$FOLDER/$NAME.hold" ]; do sleep 0.05; done
sleep "$WORK_S"
echo "$NAME to $(date +%s%3N)" >> "$FOLDER/diary"
`;

/** What a scene consists of; `folder` is where its host's account may write. */
export type Given = {
  readonly servers: readonly MemberServer[];
  readonly fronts: readonly Front[];
  readonly fleet: SshdFleet;
  readonly folder: string;
};

export const fileOf = (document: Fields) => ({
  path: `${document.kind}.yaml`,
  text: JSON.stringify(document),
});

/** A command that does nothing, and is no other: a simulation knows a command by its words. */
const nothing = (what: string): readonly string[] => ['sh', '-c', `: ${what}`];

export function projectDocument(folder: string, more: Fields): Fields {
  return {
    ...{ kind: 'project', name: PROJECT, folder: '/tmp' },
    commands: { stop: nothing('stop'), install: nothing('install'), start: ['sh', '-c', START] },
    env: { FOLDER: folder, WORK_S: '0' },
    health: {
      check: { kind: 'command', argv: nothing('look'), timeoutMs: 20_000 },
      passes: 1,
      intervalMs: 100,
    },
    timeouts: { graceMs: 1_000, startMs: 120_000 },
    ...more,
  };
}

/** All that Edge is told of a scene. */
export function documents(given: Given, setting: Setting): readonly Fields[] {
  const { fronts, fleet, folder } = given;
  const [host] = fleet.hosts;
  const { name = PROJECT, project = {}, environment = {}, policy = {}, strategy = {}, place = {} } = setting;
  const balancers = Object.fromEntries(fronts.map(({ kind, config }) => [kind.toLowerCase(), config]));
  return [
    projectDocument(folder, { name, ...project }),
    {
      ...{ kind: 'environment', name: ENVIRONMENT, balancers },
      ssh: { user: host?.user, identityFile: host?.identityFile },
      policy: { minInService: 0, ...policy },
      ...environment,
    },
    {
      ...{ kind: 'project-environment', project: name, environment: ENVIRONMENT },
      strategy:
        typeof strategy === 'string' ? strategy : { canary: 0, batches: '100%', ...QUICK, ...strategy },
      targets: targetsOf(given, setting),
      ...place,
    },
  ];
}

const QUICK = { settleMs: 0, others: false };

function targetsOf({ servers, fronts, fleet }: Given, setting: Setting): readonly Fields[] {
  const [host] = fleet.hosts;
  const { pools = ['web'], targets = servers, ofTarget = () => ({}) } = setting;
  return targets.map((server, index) => ({
    ...{ name: server.name, address: host?.address, sshPort: host?.port, port: server.port },
    hostKey: host?.fingerprint,
    env: { NAME: server.name },
    members: fronts.flatMap(({ kind, servers: behind, poolOf, memberOf }) =>
      (behind.includes(server) ? pools : []).map((pool) => ({
        balancer: kind.toLowerCase(),
        pool: poolOf(pool),
        member: memberOf(server),
      })),
    ),
    ...ofTarget(index),
  }));
}
