import type { TargetConfig } from '../domain/project-environment.ts';
import { membersOf } from '../domain/project-environment.ts';
import { zoneNameOf } from '../plan/targets.ts';
import { authorize, type Caller } from './caller.ts';
import type { PlaceRequest } from './documents.ts';
import { documentsNow } from './inventory.ts';
import { changeIn, lastRead, rememberRead } from './inventory-reads.ts';
import type { OperationPorts } from './ports.ts';

export type TargetRow = Pick<TargetConfig, 'name' | 'address'> & {
  readonly sshPort: number | null;
  readonly port: number | null;
  readonly zone: string;
  readonly members: readonly {
    readonly balancer: string;
    readonly pool: string;
    readonly member: string;
  }[];
};

export type TargetsOutput = {
  /** What they were read from just now; `null`: they stand in the configuration. */
  readonly origin: string | null;
  readonly targets: readonly TargetRow[];
  /** What is other than when it was read before, in words; `null` where nothing is, or it never was. */
  readonly changed: { readonly since: number; readonly what: string } | null;
};

/**
 * The targets that a plan would be made of now. Throws `project_unknown`, `environment_unknown` and what reading the inventory
 * throws.
 */
export async function targets(
  ports: OperationPorts,
  caller: Caller,
  input: PlaceRequest,
): Promise<TargetsOutput> {
  authorize(caller, 'deployment.plan');
  const documents = await documentsNow(ports, input);
  const { projectEnvironment, environment, inventory } = documents;
  const before = inventory ? await lastRead(ports.records, input, inventory.origin) : null;
  const what = before && changeIn(before, projectEnvironment.targets);
  await rememberRead(ports, documents);
  return {
    origin: inventory?.origin ?? null,
    targets: projectEnvironment.targets.map((target) => ({
      ...{ name: target.name, address: target.address },
      ...{ sshPort: target.sshPort ?? null, port: target.port ?? null },
      zone: zoneNameOf(target, environment),
      members: membersOf(target, environment),
    })),
    changed: before && what !== null ? { since: before.at, what } : null,
  };
}
