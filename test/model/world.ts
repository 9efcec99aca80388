import { checkWorld } from './compare.ts';
import type { Fleet } from './deployment-model.ts';
import type { Model, Tally } from './model.ts';
import { drive, type Place, type Settings } from './place-model.ts';
import { RealEdge } from './real-edge.ts';

export type World = { readonly model: Model; readonly real: RealEdge };

export const VERSIONS = ['1.0.0', '2.0.0', '3.0.0'];
export const PROJECTS = ['shop', 'blog'];
const TARGETS_EACH = 4;
const namesOf = (project: string) =>
  Array.from({ length: TARGETS_EACH }, (_, index) => `${project}-${index + 1}`);

/** Two projects in one environment, whose targets are members of one pool. */
export async function newWorld(settings: Omit<Settings, 'order'>, tally: Tally): Promise<World> {
  const fleet: Fleet = { holds: new Map(), placed: new Map(), today: 0 };
  const places = PROJECTS.map((project): Place => {
    return { project, fleet, settings: { ...settings, order: namesOf(project) }, deployments: [], asked: [] };
  });
  const real = new RealEdge(PROJECTS.flatMap(namesOf));
  await real.configure(new Map(places.map((place) => [place.project, place.settings])), VERSIONS);
  return { model: { places, fleet, ids: new Map(), sealed: new Map(), tally }, real };
}

/** Both sides deal with what was asked; then they must be the same. */
export async function driveBoth(model: Model, real: RealEdge): Promise<void> {
  await driveUnseen(model, real);
  await checkWorld(model, real);
}

export async function driveUnseen(model: Model, real: RealEdge): Promise<void> {
  for (const place of model.places) drive(place);
  await real.drive();
}
