import { formatOf, type InventoryRows, rowsOf } from '../config/inventory-rows.ts';
import { type InventoryPlace, targetsOf } from '../config/inventory-targets.ts';
import { poolRows } from '../config/pool-rows.ts';
import { deviceOf, type Environment } from '../domain/environment.ts';
import { type InventorySource, originOf, type PoolSource, type TextSource } from '../domain/inventory.ts';
import { isList, type TargetConfig } from '../domain/project-environment.ts';
import type { Documents } from '../plan/settings.ts';
import { documentsOf, type KeptDocuments, type PlaceRequest } from './documents.ts';
import type { OperationPorts } from './ports.ts';
import { membersSeen } from './survey.ts';

/**
 * The documents that hold for a project in an environment, with the targets that its inventory gives now. Throws
 * `project_unknown`, `environment_unknown`, and what `readInventory` throws.
 */
export async function documentsNow(ports: OperationPorts, place: PlaceRequest): Promise<Documents> {
  return withTargets(ports, await documentsOf(ports.records, place));
}

/** The same of documents that are known. A list of targets is what it is, and nothing is read. */
export async function withTargets(ports: OperationPorts, kept: KeptDocuments): Promise<Documents> {
  const { projectEnvironment, environment } = kept;
  const { targets, floors } = projectEnvironment;
  if (isList(targets)) return { ...kept, projectEnvironment: { ...projectEnvironment, targets } };
  const read = await readInventory(ports, { source: targets, environment, floors });
  return {
    ...kept,
    inventory: { origin: originOf(targets) },
    projectEnvironment: { ...projectEnvironment, targets: read },
  };
}

/**
 * The targets that an inventory gives now, by name; never those that it gave before. Throws `inventory_unreachable`,
 * `inventory_invalid`, `secret_unavailable`, and of a pool what its balancer throws.
 */
export async function readInventory(
  ports: OperationPorts,
  place: InventoryPlace,
): Promise<readonly TargetConfig[]> {
  return targetsOf(await rowsNow(ports, place.source, place.environment), place);
}

function rowsNow(
  ports: OperationPorts,
  source: InventorySource,
  environment: Environment,
): Promise<InventoryRows> {
  return source.from === 'pool' ? rowsOfPool(ports, source, environment) : rowsOfText(ports, source);
}

async function rowsOfPool(
  ports: OperationPorts,
  source: PoolSource,
  environment: Environment,
): Promise<InventoryRows> {
  const [only = ''] = Object.keys(environment.balancers);
  const balancer = deviceOf(environment, source.balancer ?? only);
  return poolRows(source, await membersSeen(ports, environment, { balancer, pool: source.pool }));
}

/** An inventory that is being read is given up by the one who reads it. */
const NEVER = new AbortController().signal;

async function rowsOfText({ inventory }: OperationPorts, source: TextSource): Promise<InventoryRows> {
  const { text, format } = await inventory.read(source, NEVER);
  const { group } = source;
  return rowsOf(text, {
    format: source.format ?? format ?? formatOf(text),
    ...(group !== undefined && { group }),
  });
}
