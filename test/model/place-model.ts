import {
  type Answer,
  type Deployment,
  exceptionsOf,
  type Fleet,
  hasEnded,
  hear,
  newDeployment,
  type Order,
  obey,
  type Plan,
  passDeadlines,
  type Reaction,
  settle,
} from './deployment-model.ts';

/** What Edge promises of a project in an environment: who may start, with what plan, and what follows an end. */
export type Settings = {
  /** Size of the batches after the canary of one, and how many targets of one are worked on side by side. */
  readonly batch: number;
  readonly atOnce: number;
  readonly maxFailures: number;
  readonly onFailure: { readonly health: Reaction; readonly other: Reaction };
  /** The targets, in the order in which they are deployed to. */
  readonly order: readonly string[];
};
type Asked = { readonly order: Order } | { readonly target: string; readonly answer: Answer };
export type Place = {
  readonly project: string;
  readonly fleet: Fleet;
  settings: Settings;
  /** Newest first. Only the newest may be one that has not ended: it has the lock. */
  readonly deployments: Deployment[];
  /** Asked of the deployment that has the lock, and not dealt with yet. */
  asked: Asked[];
};
export type StartRefusal =
  | 'environment_locked'
  | 'plan_empty'
  | 'parked_unknown'
  | 'release_missing_rollback'
  | 'verb_refused';

export const holderOf = ({ deployments: [newest] }: Place): Deployment | null =>
  newest && !hasEnded(newest) ? newest : null;

export const parkedOf = ({ fleet, settings }: Place) =>
  settings.order.filter((name) => fleet.holds.get(name)?.parked);

export function deploy(place: Place, release: string): StartRefusal | null {
  return begin(place, { verb: 'deploy', release, names: notOn(place, release) });
}

/** `edge return`: what is parked is restarted, checked and put back. */
export function returnParked(place: Place): StartRefusal | null {
  const names = parkedOf(place);
  return names.length === 0 ? 'parked_unknown' : begin(place, { verb: 'restart', release: null, names });
}

/** Of what has ended: only of the newest, and to the last release before it that went everywhere it was to go. */
export function rollBack(place: Place, ended: Deployment): StartRefusal | null {
  const past = place.deployments.filter(({ plan }) => plan.release !== null);
  const whole = past.filter((d) => d.status === 'succeeded' && exceptionsOf(d) === 0);
  const release = whole.find(({ plan }) => plan.release !== past[0]?.plan.release)?.plan.release;
  if (ended.plan.verb === 'rollback' || ended !== place.deployments[0]) return 'verb_refused';
  if (release === undefined || release === null) return 'release_missing_rollback';
  return begin(place, { verb: 'rollback', release, names: notOn(place, release) });
}

/** What is proven to be on the release already, and in service, is left alone. */
const notOn = ({ fleet, settings }: Place, release: string) =>
  settings.order.filter((name) => {
    const placed = fleet.placed.get(name);
    return placed?.release !== release || placed.unproven || fleet.holds.has(name);
  });

type Wanted = Pick<Plan, 'verb' | 'release'> & { readonly names: readonly string[] };

function begin(place: Place, { verb, release, names }: Wanted): StartRefusal | null {
  if (holderOf(place)) return 'environment_locked';
  if (names.length === 0) return 'plan_empty';
  const { fleet, settings } = place;
  const targets = names.map((name) => ({ name, release, before: fleet.placed.get(name)?.release ?? null }));
  const parked = names.filter((name) => fleet.holds.has(name));
  const serving = names.filter((name) => !fleet.holds.has(name));
  const slots = verb === 'rollback' ? [parked, serving] : slotsOf([...parked, ...serving], settings.batch);
  const batches = slots
    .filter(({ length }) => length > 0)
    .map((slot) => ({ names: slot, atOnce: Math.min(slot.length, settings.atOnce) }));
  const { maxFailures, onFailure } = settings;
  place.deployments.unshift(
    newDeployment(fleet, {
      verb,
      release,
      targets,
      batches,
      parallel: settings.atOnce,
      maxFailures,
      onFailure,
    }),
  );
  return null;
}

/** A canary of one, then batches of a size. */
function slotsOf(names: readonly string[], size: number): readonly (readonly string[])[] {
  const rest = names.slice(1);
  const count = Math.ceil(rest.length / size);
  return [
    names.slice(0, 1),
    ...Array.from({ length: count }, (_, n) => rest.slice(n * size, (n + 1) * size)),
  ];
}

/** The engine's turn: deadlines, then all that was asked in its order, then what follows; a rollback begins at once. */
export function drive(place: Place): void {
  const holder = holderOf(place);
  const { asked } = place;
  place.asked = [];
  if (!holder) return;
  passDeadlines(holder, new Set(asked.flatMap((one) => ('target' in one ? [one.target] : []))));
  for (const one of asked) {
    if ('order' in one) obey(holder, one.order);
    else hear(holder, one.target, one.answer);
  }
  settle(holder);
  const plan = hasEnded(holder) && holder.stop?.rollback ? rollbackOf(holder) : null;
  if (!plan) return;
  const successor = newDeployment(holder.fleet, plan, holder);
  place.deployments.unshift(successor);
  for (const hold of holder.fleet.holds.values()) if (hold.owner === holder) hold.owner = successor;
  settle(successor);
}

/** Each touched target back to its own before: what is out of service first and all at once, then the rest. */
function rollbackOf(parent: Deployment): Plan | null {
  const { plan, fleet } = parent;
  const isOut = (name: string) => fleet.holds.get(name)?.owner === parent;
  const returned = [...parent.targets.values()].filter(
    ({ name, before, touched }) => before !== null && (touched || isOut(name)),
  );
  const names = returned.map(({ name }) => name);
  const [out, serving] = [names.filter(isOut), names.filter((name) => !isOut(name))];
  const allowed = plan.batches.filter((batch) => batch.names.some((name) => serving.includes(name)));
  const batches = [
    { names: out, atOnce: out.length },
    { names: serving, atOnce: Math.min(serving.length, Math.max(0, ...allowed.map(({ atOnce }) => atOnce))) },
  ].filter((batch) => batch.names.length > 0);
  const targets = returned.map(({ name, before }) => ({ name, release: before, before: null }));
  const release = mostCommon(targets.map((target) => target.release));
  const parallel = Math.max(plan.parallel, ...batches.map(({ atOnce }) => atOnce));
  return names.length === 0 ? null : { ...plan, verb: 'rollback', release, targets, batches, parallel };
}

function mostCommon(releases: readonly (string | null)[]): string | null {
  const count = (of: string | null) => releases.filter((release) => release === of).length;
  return releases.toSorted((a, b) => count(b) - count(a))[0] ?? null;
}
