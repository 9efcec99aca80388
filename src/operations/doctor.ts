import { isInService, withoutReserve } from '../domain/balancer.ts';
import type { Environment } from '../domain/environment.ts';
import { asEdgeError, EdgeError, type ErrorBody } from '../domain/errors.ts';
import { originOf } from '../domain/inventory.ts';
import { isList, membersOf, type TargetConfig } from '../domain/project-environment.ts';
import { forEachLimited } from '../lib/concurrency.ts';
import { hostAddressOf } from '../plan/host-address.ts';
import { type Documents, resolveSettings, type Settings } from '../plan/settings.ts';
import { authorize, type Caller } from './caller.ts';
import { documentsOf, type KeptDocuments, mustBePlace } from './documents.ts';
import { withTargets } from './inventory.ts';
import type { OperationPorts } from './ports.ts';
import type { StatusInput } from './status.ts';
import { membersSeen, type PoolRef, poolsNamed } from './survey.ts';

export type DoctorCheck = {
  readonly kind: 'inventory' | 'host' | 'balancer';
  readonly name: string;
  readonly project: string;
  readonly environment: string;
  readonly ok: boolean;
  /** What was seen, for people. */
  readonly facts: Readonly<Record<string, string>>;
  readonly problems: readonly ErrorBody[];
};

const SIDE_BY_SIDE = 16;
const READ_AT_ONCE = 8;

/** Reads each inventory, and tries each host and pool, that the filter lets through. What is wrong is in the answer; changes nothing. */
export async function doctor(
  ports: OperationPorts,
  caller: Caller,
  input: StatusInput,
): Promise<{ readonly checks: readonly DoctorCheck[] }> {
  authorize(caller, 'deployment.plan');
  const looks = await looksFor(ports, input);
  const checks: DoctorCheck[] = [];
  await forEachLimited(looks, SIDE_BY_SIDE, async (look, index) => {
    checks[index] = await checked(look);
  });
  return { checks };
}

type Look = Pick<DoctorCheck, 'kind' | 'name' | 'project' | 'environment'> & {
  readonly see: () => Promise<Seen>;
};
type Seen = Pick<DoctorCheck, 'facts' | 'problems'>;

async function looksFor(ports: OperationPorts, input: StatusInput): Promise<readonly Look[]> {
  const kept = await ports.records.list('project-environment', input.project && `${input.project}/`);
  const asked = kept.filter(
    ({ value }) => input.environment === undefined || value.environment === input.environment,
  );
  if (asked.length === 0) await mustBePlace(ports.records, input);
  const looks: (readonly Look[])[] = [];
  await forEachLimited(asked, READ_AT_ONCE, async ({ value }, index) => {
    looks[index] = await looksOf(ports, await documentsOf(ports.records, value));
  });
  return looks.flat();
}

async function looksOf(ports: OperationPorts, kept: KeptDocuments): Promise<readonly Look[]> {
  const { project, environment } = kept.projectEnvironment;
  const at = { project, environment };
  const { documents, look } = await readFor(ports, kept);
  const looks: Look[] = look ? [{ ...at, ...look }] : [];
  if (!documents) return looks;
  const { targets } = documents.projectEnvironment;
  const settings = resolveSettings(documents);
  for (const target of targets)
    looks.push({ ...at, kind: 'host', name: target.name, see: () => seeHost(ports, target, settings) });
  for (const pool of poolsNamed(documents)) {
    const members = targets
      .flatMap((target) => membersOf(target, documents.environment))
      .filter((ref) => ref.balancer === pool.balancer && ref.pool === pool.pool)
      .map(({ member }) => member);
    const see = () => seePool(ports, documents.environment, { ...pool, members });
    looks.push({ ...at, kind: 'balancer', name: `${pool.balancer}/${pool.pool}`, see });
  }
  return looks;
}

type Read = {
  readonly documents: Documents | null;
  readonly look: Pick<Look, 'kind' | 'name' | 'see'> | null;
};

/** An inventory that cannot be read is one finding; of its hosts nothing can be said. */
async function readFor(ports: OperationPorts, kept: KeptDocuments): Promise<Read> {
  const { targets } = kept.projectEnvironment;
  const of = (see: Look['see']): Read['look'] =>
    isList(targets) ? null : { kind: 'inventory', name: originOf(targets), see };
  try {
    const documents = await withTargets(ports, kept);
    const facts = { targets: String(documents.projectEnvironment.targets.length) };
    return { documents, look: of(async () => ({ facts, problems: [] })) };
  } catch (thrown) {
    return { documents: null, look: of(() => Promise.reject(thrown)) };
  }
}

async function checked({ see, ...look }: Look): Promise<DoctorCheck> {
  try {
    const seen = await see();
    return { ...look, ok: seen.problems.length === 0, ...seen };
  } catch (thrown) {
    return { ...look, ok: false, facts: {}, problems: [asEdgeError(thrown).body] };
  }
}

const GIGABYTE = 1_073_741_824;
const LEAST_FREE_BYTES = GIGABYTE / 4;

async function seeHost({ hosts }: OperationPorts, target: TargetConfig, settings: Settings): Promise<Seen> {
  const address = hostAddressOf(target, settings);
  const { system, missing, freeBytes } = await hosts.facts(address);
  const problems = [
    ...missing.map((name) => unfit(target, `has no ${name}`, `Install ${name}, where the login finds it.`)),
    ...(freeBytes < LEAST_FREE_BYTES
      ? [
          unfit(
            target,
            `has only ${Math.floor(freeBytes / 1_048_576)} MB free`,
            'Free the disk that holds the home folder of the login.',
          ),
        ]
      : []),
  ];
  const free = `${(freeBytes / GIGABYTE).toFixed(1)} GB`;
  return {
    facts: { address: `${address.user}@${address.address}:${address.port}`, system, free },
    problems: problems.map(({ body }) => body),
  };
}

const unfit = ({ name }: TargetConfig, what: string, hint: string) =>
  new EdgeError('host_unfit', `${name} ${what}`, { hint, where: { target: name } });

type NamedPool = PoolRef & { readonly members: readonly string[] };

async function seePool(ports: OperationPorts, environment: Environment, named: NamedPool): Promise<Seen> {
  const members = await membersSeen(ports, environment, named);
  const there = new Set(members.map(({ member }) => member));
  const problems = named.members
    .filter((member) => !there.has(member))
    .map(
      (member) =>
        new EdgeError(
          'balancer_member_unknown',
          `The pool ${named.pool} of ${named.balancer} has no member "${member}"`,
          { where: { member: `${named.balancer}/${named.pool}/${member}` } },
        ).body,
    );
  const serving = withoutReserve(members).filter(isInService).length;
  const reserve = members.length - withoutReserve(members).length;
  const notes = members.flatMap(({ member, note }) => (note === undefined ? [] : `${member}: ${note}`));
  const facts = {
    members: String(members.length),
    'in service': String(serving),
    ...(reserve > 0 && { 'in reserve': String(reserve) }),
    ...(notes.length > 0 && { notes: notes.join('; ') }),
  };
  return { facts, problems };
}
