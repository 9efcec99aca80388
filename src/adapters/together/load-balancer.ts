import { type AsFound, type MemberState, seenTogether } from '../../domain/balancer.ts';
import { EdgeError } from '../../domain/errors.ts';
import type { LoadBalancer } from '../../ports/load-balancer.ts';

/** One of several that serve as one balancer. `name` is its address: it stands in errors, and in what was found. */
export type Instance = { readonly name: string; readonly balancer: LoadBalancer };

/**
 * Several instances as one balancer (two HAProxy or nginx that share their traffic, or one that stands by for the other). All
 * are read, and all are written, one after the other: what one of them refuses is not asked of the next. A member is out only
 * where all have it out, its connections are the sum, and where they disagree it is enabled and `checking`.
 */
export function together(instances: readonly Instance[]): LoadBalancer {
  const [only, ...others] = instances;
  if (only && others.length === 0) return only.balancer;
  return {
    members: (pool, signal) => members(instances, pool, signal),
    disable: (member, to, ...how) => each(instances, ({ balancer }) => balancer.disable(member, to, ...how)),
    restore: (member, asFound, ...how) =>
      each(instances, ({ name, balancer }) => balancer.restore(member, partOf(asFound, name), ...how)),
    close: async () => {
      await Promise.allSettled(instances.map(({ balancer }) => balancer.close()));
    },
  };
}

type Instances = readonly Instance[];
type Seen = { readonly name: string; readonly states: readonly MemberState[] };

async function members(
  instances: Instances,
  pool: string,
  signal: AbortSignal,
): Promise<readonly MemberState[]> {
  const look = async ({ name, balancer }: Instance): Promise<Seen> => ({
    name,
    states: await naming(name, balancer.members(pool, signal)),
  });
  const all = await Promise.all(instances.map(look));
  const names = new Set(all.flatMap(({ states }) => states.map(({ member }) => member)));
  return [...names].map((member) => one(member, pool, all));
}

/** They serve one pool: a member that only some of them have is a mistake that no state could show. */
function one(member: string, pool: string, all: readonly Seen[]): MemberState {
  const seen = all.map(({ name, states }) => {
    const state = states.find((each) => each.member === member);
    if (state) return { name, state };
    const others = all.filter((each) => each.states.some((known) => known.member === member));
    throw new EdgeError(
      'balancer_refused',
      `The pool ${pool} has the member ${member} at ${others.map((each) => each.name).join(', ')}, and not at ${name}`,
      { hint: 'Give all instances of the balancer the same members.' },
    );
  });
  return joined(seen);
}

type SeenBy = { readonly name: string; readonly state: MemberState };

function joined(seen: readonly SeenBy[]): MemberState {
  const [first, ...rest] = seen.map(({ state }) => state);
  if (!first) throw new EdgeError('internal', 'a balancer without an instance');
  const asFound = Object.fromEntries(
    seen.flatMap(({ name, state }) =>
      Object.entries(state.asFound).map(([field, value]) => [`${name} ${field}`, value] as const),
    ),
  );
  return { ...seenTogether([first, ...rest]), asFound };
}

async function each(
  instances: Instances,
  write: (instance: Instance) => Promise<MemberState>,
): Promise<MemberState> {
  const seen: SeenBy[] = [];
  for (const instance of instances)
    seen.push({ name: instance.name, state: await naming(instance.name, write(instance)) });
  return joined(seen);
}

/**
 * What this instance was found with. One that was not asked then (it was added since, or there was only one) gets what
 * another was found with: they serve one pool.
 */
function partOf(asFound: AsFound, name: string): AsFound {
  const fields = Object.entries(asFound).map(([key, value]) => ({ ...split(key), value }));
  const from = fields.some((field) => field.name === name) ? name : fields[0]?.name;
  const own = fields.filter((field) => field.name === from);
  return Object.fromEntries(own.map(({ field, value }) => [field, value]));
}

function split(key: string): { readonly name: string; readonly field: string } {
  const space = key.indexOf(' ');
  return { name: key.slice(0, Math.max(0, space)), field: key.slice(space + 1) };
}

/** Says at which instance it happened. */
async function naming<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    if (!(thrown instanceof EdgeError) || thrown.message.includes(name)) throw thrown;
    const { hint, where } = thrown.body;
    throw new EdgeError(thrown.code, `${name}: ${thrown.message}`, {
      hint,
      ...(where && { where }),
      cause: thrown.cause,
    });
  }
}
