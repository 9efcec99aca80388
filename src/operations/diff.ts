import { named, zoneNameOf } from '../plan/targets.ts';
import { authorize, type Caller } from './caller.ts';
import { type Difference, type DiffTarget, differences } from './differences.ts';
import { findRelease, type PlaceRequest, releasesOf } from './documents.ts';
import { documentsNow } from './inventory.ts';
import type { OperationPorts } from './ports.ts';
import { fleetSeen } from './survey.ts';

export type DiffInput = PlaceRequest & { readonly version: string; readonly targets?: readonly string[] };
export type DiffOutput = {
  readonly differences: readonly Difference[];
  /** Targets on whose disks nothing would change. */
  readonly same: readonly string[];
};

/**
 * What deploying a release would change on the disks of targets, from what Edge put there last: hosts are not asked. Throws
 * `project_unknown`, `environment_unknown`, `release_unknown`, `target_unknown`, `variable_undefined`.
 */
export async function diff(ports: OperationPorts, caller: Caller, input: DiffInput): Promise<DiffOutput> {
  authorize(caller, 'deployment.plan');
  const documents = await documentsNow(ports, input);
  const releases = await releasesOf(ports.records, input.project);
  const release = findRelease(releases, input.project, input.version);
  const { targets: fleet } = await fleetSeen(ports, input);
  // Of one that was worked on since without success nobody knows what is there.
  const before = new Map(fleet.map((seen) => [seen.target, seen.unproven ? null : seen.before]));
  const all = documents.projectEnvironment.targets.map((config): DiffTarget => {
    const { name, address, port = null } = config;
    const id = before.get(name);
    const found = releases.find((each) => each.id === id) ?? null;
    return { name, zone: zoneNameOf(config, documents.environment), address, port, before: found };
  });
  const chosen = named(all, input.targets ?? null, ({ name }) => name);
  const found = differences(release, input, chosen);
  const differing = new Set(found.flatMap(({ targets }) => targets));
  return {
    differences: found,
    same: chosen.map(({ name }) => name).filter((name) => !differing.has(name)),
  };
}
