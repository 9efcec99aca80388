import type { MemoryStore } from '../adapters/memory/store.ts';
import { environmentSchema } from '../domain/environment.ts';
import { deploymentId, type ReleaseId } from '../domain/ids.ts';
import type { Plan } from '../domain/plan.ts';
import { type Project, projectSchema } from '../domain/project.ts';
import { isList, projectEnvironmentSchema } from '../domain/project-environment.ts';
import { makeRelease, type Release, releaseRequestSchema } from '../domain/release.ts';
import { makeScript, scriptRequestSchema } from '../domain/script.ts';
import { buildPlan } from '../plan/build-plan.ts';
import { planHash } from '../plan/hash.ts';
import { datacenter } from '../platforms/datacenter/plan.ts';
import type { RecordChange } from '../ports/records.ts';
import { sha256Of } from './roles.ts';
import {
  CHECK,
  ENVIRONMENT,
  FOLDER,
  type Nature,
  type Scenario,
  type ScenarioProject,
  type ScenarioRelease,
  type ScenarioTarget,
} from './scenario.ts';

/** The configuration of a scenario, as people would have written it, and what its fleet runs before anything begins. */
export type Estate = {
  readonly changes: readonly RecordChange[];
  readonly natureOf: (release: ReleaseId) => Nature;
  readonly isHarmful: (release: ReleaseId) => boolean;
  readonly before: (target: ScenarioTarget) => ReleaseId | null;
};

export function estateOf(scenario: Scenario): Estate {
  const releases = scenario.projects.map((project) => ({
    project,
    made: project.releases.map((one, n) => releaseOf(project, one.version, n)),
  }));
  const natures = new Map<ReleaseId, ScenarioRelease | undefined>();
  for (const { project, made } of releases)
    for (const [n, release] of made.entries()) natures.set(release.id, project.releases[n]);
  const first = new Map(releases.map(({ project, made }) => [project.name, made[0]?.id ?? null]));
  return {
    changes: [
      { kind: 'environment', key: ENVIRONMENT, value: environmentOf(scenario) },
      ...scenario.projects.flatMap((project): readonly RecordChange[] => [
        { kind: 'project', key: project.name, value: projectOf(project) },
        {
          kind: 'project-environment',
          key: `${project.name}/${ENVIRONMENT}`,
          value: placeOf(scenario, project),
        },
      ]),
      ...SCRIPTS.map((value): RecordChange => ({ kind: 'script', key: value.name, value })),
      ...releases.flatMap(({ project, made }) =>
        made.map((value): RecordChange => ({ kind: 'release', key: `${project.name}/${value.id}`, value })),
      ),
    ],
    natureOf: (release) => natures.get(release)?.nature ?? 'good',
    isHarmful: (release) => natures.get(release)?.isHarmful === true,
    before: (target) => (target.found === 'new' ? null : (first.get(target.project) ?? null)),
  };
}

/** One gives what the other takes. */
const SCRIPTS = [
  { name: 'count', outputs: { rows: { type: 'integer', min: 0 } } },
  { name: 'move', parameters: { rows: { type: 'integer', min: 0, default: 0 } } },
].map((parts) => {
  const content = `#!/bin/sh\n: ${parts.name}\n`;
  return makeScript(scriptRequestSchema.parse({ kind: 'script', content, ...parts }), content);
});

function releaseOf({ name }: ScenarioProject, version: string, n: number): Release {
  const path = `/artifacts/${name}-${version}.tar.gz`;
  const artifacts = [{ name: 'app.tar.gz', path, unpack: 'tar.gz' }];
  // Every other release has property files, so that targets go from one with to one without, and back.
  const files = n % 2 === 0 ? [] : [{ path: 'app.conf', content: '{{edge.target}} {{edge.version}}\n' }];
  const request = releaseRequestSchema.parse({ kind: 'release', project: name, version, artifacts, files });
  return makeRelease(
    request,
    { artifacts: [{ sha256: sha256Of(path), sizeBytes: 1_000, place: { path } }] },
    n,
  );
}

const projectOf = ({ name, health, analysis }: ScenarioProject): Project =>
  projectSchema.parse({
    kind: 'project',
    name,
    folder: FOLDER,
    env: { TOKEN: { source: 'env', name: 'TOKEN' } },
    health: {
      check: CHECK,
      ...health,
    },
    ...(analysis && { analysis }),
    timeouts: { stopMs: 30_000, startMs: 30_000, installMs: 60_000, upMs: 20_000, graceMs: 5_000 },
  });

/** Where the fleet is measured, if anybody judges by it. */
const METRICS = { kind: 'prometheus', url: 'http://metrics.example', timeoutMs: 5_000, delayMs: 1_000 };

const environmentOf = ({ zones, targets, policy, projects }: Scenario) =>
  environmentSchema.parse({
    kind: 'environment',
    name: ENVIRONMENT,
    ssh: { user: 'deploy', identityFile: '/keys/edge', knownHosts: '/keys/known_hosts' },
    balancers: Object.fromEntries(
      [...new Set(targets.flatMap(({ members }) => members.map(({ balancer }) => balancer)))].map(
        (device) => [balancerName(device), { kind: 'haproxy', socket: device }],
      ),
    ),
    ...(projects.some(({ analysis }) => analysis) && { metrics: { metrics: METRICS } }),
    zones: zones.map(({ name }) => ({ name, pool: name })),
    policy,
  });

/** A device is known by its address; a name in a configuration has none of its signs. */
const balancerName = (device: string): string => device.replace(/[:.].*$/, '');

const placeOf = ({ targets }: Scenario, { name, strategy }: ScenarioProject) =>
  projectEnvironmentSchema.parse({
    kind: 'project-environment',
    project: name,
    environment: ENVIRONMENT,
    strategy,
    targets: targets
      .filter(({ project }) => project === name)
      .map((target) => ({
        name: target.name,
        address: `${target.name}.example`,
        port: 8080,
        zone: target.zone,
        members: target.members.map(({ balancer, pool }) => ({
          balancer: balancerName(balancer),
          pool,
          member: target.name,
        })),
      })),
  });

/** Records the estate, and what an earlier deployment has placed where. Through the ports, before anything can go wrong. */
export async function settle(store: MemoryStore, scenario: Scenario, estate: Estate): Promise<void> {
  await store.records.apply(estate.changes);
  for (const { name } of scenario.projects) {
    const placed = scenario.targets.flatMap((target) => {
      const release = target.project === name ? estate.before(target) : null;
      return release === null ? [] : [{ target: target.name, release }];
    });
    await history(store, name, placed);
  }
}

type Placed = readonly { readonly target: string; readonly release: ReleaseId }[];

/** A deployment that has ended long ago. */
async function history({ journal, records }: MemoryStore, project: string, placed: Placed): Promise<void> {
  const first = placed[0];
  if (!first) return;
  const plan = await earlierPlan({ records }, project, first.release);
  const id = deploymentId(`before-${project}`);
  await journal.create({ id, plan, planHash: planHash(plan), by: 'history', reason: 'first' });
  const all = await journal.acquire({ owner: 'history', leaseMs: 1_000, limit: 8, gone: [], lot: 0 });
  const acquired = all.find(({ lease }) => lease.deployment === id);
  if (!acquired) throw new Error('the history was not written');
  const counts = { total: placed.length, succeeded: placed.length, failed: 0, skipped: 0, active: 0 };
  await journal.commit(acquired.lease, {
    ...{ expectedVersion: 1, handled: [], open: [], close: [], rearm: [], cancel: [], wakeAt: null },
    ...{ takeHolds: [], parkHolds: [], giveHolds: [], keepOut: [], poolVersions: {} },
    ...{ unproven: [], placed },
    events: [{ kind: 'deployment.ended', status: 'succeeded', reason: '', exceptions: 0, notes: [] }],
    summary: { status: 'succeeded', reason: '', counts, ended: true, exceptions: 0 },
  });
}

/** Any plan of that release will do: what counts is that it succeeded. */
async function earlierPlan(
  { records }: Pick<MemoryStore, 'records'>,
  project: string,
  id: ReleaseId,
): Promise<Plan> {
  const [ofProject, environment, place, release] = await Promise.all([
    records.get('project', project),
    records.get('environment', ENVIRONMENT),
    records.get('project-environment', `${project}/${ENVIRONMENT}`),
    records.get('release', `${project}/${id}`),
  ]);
  if (!ofProject || !environment || !place || !release) throw new Error(`nothing is known of ${project}`);
  const { targets } = place.value;
  if (!isList(targets)) throw new Error(`the targets of ${project} are to be read`);
  return buildPlan(
    {
      ...{
        project: ofProject.value,
        environment: environment.value,
        projectEnvironment: { ...place.value, targets },
      },
      ...{
        strategies: [],
        scripts: SCRIPTS,
        hostKeys: new Map(),
        verb: 'deploy',
        hard: true,
        release: release.value,
        releases: [release.value],
      },
      ...{ fleet: [], pools: [], heldByOthers: [], options: { force: false, targets: null } },
    },
    datacenter,
  ).plan;
}
