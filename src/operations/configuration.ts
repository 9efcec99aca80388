import { type ConfigDocument, keyOf } from '../config/kinds.ts';
import { type ConfigFile, loadConfig } from '../config/load-config.ts';
import type { Known } from '../config/references.ts';
import { EdgeError } from '../domain/errors.ts';
import { isList } from '../domain/project-environment.ts';
import type { ReleaseRequest } from '../domain/release.ts';
import { MOST_SCRIPT_BYTES, makeScript, type Script, type ScriptRequest } from '../domain/script.ts';
import { canonicalJson } from '../lib/json.ts';
import type { Kept, RecordChange, Records } from '../ports/records.ts';
import { authorize, type Caller } from './caller.ts';
import { readInventory } from './inventory.ts';
import type { OperationPorts } from './ports.ts';
import { prepareRelease } from './releases.ts';
import type { Watched } from './watch.ts';

export type ApplyInput = { readonly files: readonly ConfigFile[]; readonly dryRun: boolean };
export type AppliedDocument = {
  readonly kind: ConfigDocument['kind'];
  readonly key: string;
  readonly change: 'created' | 'updated' | 'unchanged';
};

/** How often it begins anew when others change the same documents meanwhile. */
const TRIES = 5;

/**
 * Creates or changes what the files define, all of it or nothing; what they do not name stays. Releases among them are made.
 * Throws what `loadConfig`, `readInventory` and `createRelease` throw, every problem with its place.
 */
export async function applyConfiguration(
  ports: OperationPorts,
  caller: Caller,
  { input: { files, dryRun }, signal }: Watched<ApplyInput>,
): Promise<{ readonly documents: readonly AppliedDocument[] }> {
  authorize(caller, 'configuration.write');
  for (let tries = 0; tries < TRIES; tries += 1) {
    const kept = await allKept(ports.records);
    const documents = loadConfig(files, kept.known, ports.platform.checkSteps);
    await readFiles(ports, documents, kept.known);
    const prepared: Prepared[] = [];
    for (const document of documents) prepared.push(await prepare(ports, document, { kept, signal }));
    const changes = prepared.flatMap(({ change }) => change ?? []);
    if (dryRun || changes.length === 0 || (await ports.records.apply(changes)).kind === 'applied')
      return { documents: prepared.map(({ applied }) => applied) };
  }
  throw new EdgeError(
    'store_unavailable',
    'Others changed the same configuration at the same time; nothing was changed',
  );
}

/**
 * An inventory that is a file has to be one that can be used. Others are read when a plan is made: what they reach may be
 * elsewhere, or not there yet.
 */
async function readFiles(
  ports: OperationPorts,
  documents: readonly ConfigDocument[],
  { environments }: Known,
): Promise<void> {
  const written = documents.flatMap((each) => (each.kind === 'environment' ? [each] : []));
  for (const document of documents) {
    if (document.kind !== 'project-environment' || isList(document.targets)) continue;
    const { targets: source, floors } = document;
    const environment = [...written, ...environments].find(({ name }) => name === document.environment);
    if (source.from === 'file' && environment) await readInventory(ports, { source, environment, floors });
  }
}

type Configured = Exclude<ConfigDocument, ReleaseRequest | ScriptRequest> | Script;
type AllKept = { readonly known: Known; readonly records: ReadonlyMap<string, Kept<Configured['kind']>> };

async function allKept(records: Records): Promise<AllKept> {
  const [projects, environments, strategies, scripts, projectEnvironments] = await Promise.all([
    records.list('project'),
    records.list('environment'),
    records.list('strategy'),
    records.list('script'),
    records.list('project-environment'),
  ]);
  const all = [...projects, ...environments, ...strategies, ...scripts, ...projectEnvironments];
  return {
    known: {
      projects: projects.map(({ value }) => value),
      environments: environments.map(({ value }) => value),
      strategies: strategies.map(({ value }) => value),
      scripts: scripts.map(({ value }) => value),
      projectEnvironments: projectEnvironments.map(({ value }) => value),
    },
    records: new Map(all.map((kept) => [`${kept.value.kind} ${kept.key}`, kept])),
  };
}

type Prepared = { readonly applied: AppliedDocument; readonly change: RecordChange | null };

type Preparing = { readonly kept: AllKept; readonly signal: AbortSignal };

async function prepare(
  ports: OperationPorts,
  written: ConfigDocument,
  { kept, signal }: Preparing,
): Promise<Prepared> {
  const { kind } = written;
  if (kind === 'release') {
    const { release, isNew } = await prepareRelease(ports, written, signal);
    const key = `${release.project}/${release.id}`;
    const change: RecordChange | null = isNew ? { kind, key, value: release, expected: 0 } : null;
    return { applied: { kind, key, change: isNew ? 'created' : 'unchanged' }, change };
  }
  const key = keyOf(written);
  const document = written.kind === 'script' ? await scriptOf(ports, written) : written;
  const before = kept.records.get(`${kind} ${key}`);
  if (before && canonicalJson(before.value) === canonicalJson(document))
    return { applied: { kind, key, change: 'unchanged' }, change: null };
  const change = changeTo(document, key, before?.version ?? 0);
  return { applied: { kind, key, change: before ? 'updated' : 'created' }, change };
}

/** With what its file holds now. */
async function scriptOf({ artifacts }: OperationPorts, request: ScriptRequest): Promise<Script> {
  const { content, path = '' } = request;
  return makeScript(request, content ?? (await artifacts.readText(path, MOST_SCRIPT_BYTES)));
}

/** One branch per kind: only so does each value stand beside its own kind. */
function changeTo(document: Configured, key: string, expected: number): RecordChange {
  switch (document.kind) {
    case 'project':
      return { kind: 'project', key, value: document, expected };
    case 'environment':
      return { kind: 'environment', key, value: document, expected };
    case 'strategy':
      return { kind: 'strategy', key, value: document, expected };
    case 'script':
      return { kind: 'script', key, value: document, expected };
    case 'project-environment':
      return { kind: 'project-environment', key, value: document, expected };
    default:
      return document satisfies never;
  }
}

export type KeptDocument = {
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  readonly at: number;
  readonly value: Readonly<Record<string, unknown>>;
};

/** As it is kept. Secrets are references in it, never values. */
export async function configuration(
  { records }: OperationPorts,
  caller: Caller,
): Promise<{ readonly documents: readonly KeptDocument[] }> {
  authorize(caller, 'configuration.read');
  const kept = await allKept(records);
  return {
    documents: [...kept.records.values()].map(({ key, version, at, value }) => ({
      ...{ kind: value.kind, key, version, at },
      value: { ...value },
    })),
  };
}
