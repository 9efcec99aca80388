import type { DeploymentId } from '../../src/domain/ids.ts';
import type { Deployment, Fleet } from './deployment-model.ts';
import { holderOf, type Place } from './place-model.ts';

/** What is expected, and what of it was asked for and came about in this run. */
export type Model = {
  readonly places: readonly Place[];
  readonly fleet: Fleet;
  readonly ids: Map<Deployment, DeploymentId>;
  /** By deployment that has ended: the length of its log, which never changes again. */
  readonly sealed: Map<Deployment, number>;
  readonly tally: Tally;
};
export type Tally = Map<string, number>;

export function count({ tally }: Model, what: string): void {
  tally.set(what, (tally.get(what) ?? 0) + 1);
}

/** Tasks that a worker has and has not reported yet. */
export function openTasks({ places }: Model): readonly { readonly place: Place; readonly name: string }[] {
  return places.flatMap((place) => {
    const reported = new Set(place.asked.flatMap((one) => ('target' in one ? [one.target] : [])));
    const open = [...(holderOf(place)?.targets.values() ?? [])].filter(({ task }) => task !== 'none');
    return open.flatMap(({ name }) => (reported.has(name) ? [] : [{ place, name }]));
  });
}
