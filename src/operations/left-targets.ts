import { asEdgeError } from '../domain/errors.ts';
import { originOf } from '../domain/inventory.ts';
import type { Verb } from '../domain/plan.ts';
import { isList, type TargetConfig } from '../domain/project-environment.ts';
import type { RecordVersion } from '../domain/records.ts';
import type { Documents } from '../plan/settings.ts';
import { planOf } from './deployments.ts';
import { type KeptDocuments, type PlaceRequest, readDocuments } from './documents.ts';
import { withTargets } from './inventory.ts';
import type { OperationPorts } from './ports.ts';
import { isParked } from './survey.ts';

/** What a plan is made of. `listed`: what the inventory gave by itself; `null` where it could not be read, or there is none. */
export type Targets = {
  readonly documents: Documents;
  readonly listed: Documents | null;
  /** The records that they were made from. */
  readonly madeFrom: readonly RecordVersion[];
};

/** As much of a request for a plan. */
type Asked = PlaceRequest & { readonly verb: Verb; readonly targets?: readonly string[] };

/**
 * The documents for a plan, with the targets of now. A restart of parked targets finds them also when they have left the
 * inventory, or nobody can read it, by what the plan that took them out says of them: what Edge has taken it gives back.
 * Throws what `documentsNow` throws.
 */
export async function targetsFor(ports: OperationPorts, input: Asked): Promise<Targets> {
  const { documents: kept, madeFrom } = await readDocuments(ports.records, input);
  const of = (documents: Documents) => ({
    documents,
    madeFrom: madeFrom(documents.projectEnvironment.targets),
  });
  const named = input.verb === 'restart' ? (input.targets ?? []) : [];
  let documents: Documents;
  try {
    documents = await withTargets(ports, kept);
  } catch (thrown) {
    return { ...of(await withoutReading(ports, { input, named, kept }, thrown)), listed: null };
  }
  const { targets } = documents.projectEnvironment;
  const known = new Set(targets.map(({ name }) => name));
  const left = await parkedOf(
    ports,
    input,
    named.filter((name) => !known.has(name)),
  );
  const whole = left.length === 0 ? documents : withOnly(documents, [...targets, ...left]);
  return { ...of(whole), listed: documents.inventory ? documents : null };
}

type Unread = {
  readonly input: Asked;
  readonly named: readonly string[];
  readonly kept: KeptDocuments;
};

/** Only where every target that is asked for is parked, whatever was wrong with the reading: the source, a secret for it, a balancer. */
async function withoutReading(
  ports: OperationPorts,
  { input, named, kept }: Unread,
  thrown: unknown,
): Promise<Documents> {
  const { targets } = kept.projectEnvironment;
  const { code, message } = asEdgeError(thrown);
  if (isList(targets) || code === 'internal' || named.length === 0) throw thrown;
  const parked = await parkedOf(ports, input, named);
  if (parked.length < new Set(named).size) throw thrown;
  const documents = withoutZoneFloors(withOnly(kept, parked));
  return { ...documents, inventory: { origin: originOf(targets), unread: message } };
}

/** Nobody knows who else is in a zone; and what is parked already is not taken out once more. Floors of pools stay. */
function withoutZoneFloors(documents: Documents): Documents {
  const { projectEnvironment } = documents;
  const policy = { ...projectEnvironment.policy, minInServicePerZone: 0 };
  return { ...documents, projectEnvironment: { ...projectEnvironment, policy } };
}

const withOnly = (kept: KeptDocuments | Documents, targets: readonly TargetConfig[]): Documents => ({
  ...kept,
  projectEnvironment: { ...kept.projectEnvironment, targets },
});

/** Those of the names that are parked, as far as the plan that parked them says how they are reached. */
async function parkedOf(
  { views }: OperationPorts,
  { project, environment }: PlaceRequest,
  names: readonly string[],
): Promise<readonly TargetConfig[]> {
  if (names.length === 0) return [];
  const asked = new Set(names);
  const { holds } = await views.fleet({ project, environment });
  const parked = holds.filter((hold) => isParked(hold) && asked.has(hold.target));
  const found = new Map<string, TargetConfig>();
  for (const [deployment, held] of Map.groupBy(parked, (hold) => hold.deployment)) {
    const here = new Set(held.map(({ target }) => target));
    for (const { name, config } of (await planOf(views, deployment)).targets)
      if (config && here.has(name)) found.set(name, config);
  }
  return [...found.values()];
}
