import { type Look, lookSchema } from '../domain/drift.ts';
import type { StoredEvent } from '../domain/event.ts';
import type { Plan } from '../domain/plan.ts';
import type { DeploymentView, TargetView } from './deployment-view.ts';
import { overlaps, type Span } from './work-spans.ts';

/**
 * `same`: as Edge put it there. `deploying`: a deployment worked on it meanwhile, so that nothing can be said. `unknown`: it, or a part of it,
 * could not be looked at. `waiting`: its turn has not come.
 */
export const FINDING_STATES = ['drifted', 'unknown', 'deploying', 'waiting', 'same'] as const;
export type FindingState = (typeof FINDING_STATES)[number];

/** What looks at targets have found, by equal findings. */
export type Finding = Pick<Look, 'differs' | 'moreDiffers' | 'added'> & {
  readonly state: FindingState;
  /** What could not be looked at, and why. */
  readonly unknown: readonly string[];
  /** Files that nobody has put there, on all of these targets together. */
  readonly addedFiles: number;
  /** A deployment has worked on them without success since that release was put there. */
  readonly unproven: boolean;
  readonly targets: readonly string[];
};

type Seen = {
  readonly plan: Plan;
  readonly view: DeploymentView;
  readonly events: readonly StoredEvent[];
  /** When deployments worked on a target, by its name. */
  readonly busy: ReadonlyMap<string, readonly Span[]>;
  /** Added files are drift too, and are told by name. */
  readonly added: boolean;
};

/** Those that need a person first; targets in their order. */
export function findingsOf(seen: Seen): readonly Finding[] {
  const looks = looksIn(seen.events);
  const groups = new Map<string, Finding & { readonly targets: string[] }>();
  for (const target of seen.view.targets) {
    const finding = findingOf(seen, target, looks.get(target.index));
    const { addedFiles, ...rest } = finding;
    const key = JSON.stringify(rest);
    const { targets, addedFiles: before } = groups.get(key) ?? { targets: [] as string[], addedFiles: 0 };
    targets.push(target.name);
    groups.set(key, { ...finding, addedFiles: before + addedFiles, targets });
  }
  const rank = ({ state }: Finding) => FINDING_STATES.indexOf(state);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || b.targets.length - a.targets.length);
}

/** From when on what is put there is not what a look compares with: the record was read for it, before it was begun. */
export function beginningOf([begun]: readonly StoredEvent[]): number {
  if (begun === undefined) return 0;
  const { at, event } = begun;
  return event.kind === 'deployment.created' ? Math.min(event.recordAt ?? at, at) : at;
}

type Looked = { readonly look: Look; readonly at: number };

function looksIn(events: readonly StoredEvent[]): ReadonlyMap<number, Looked> {
  const looks = new Map<number, Looked>();
  for (const { at, event } of events) {
    if (event.kind === 'target.retried') looks.delete(event.target);
    if (event.kind !== 'task.succeeded') continue;
    const look = lookSchema.safeParse(event.outputs);
    if (look.success) looks.set(event.target, { look: look.data, at });
  }
  return looks;
}

type Judged = Omit<Finding, 'targets'>;
const NOTHING = { differs: [], moreDiffers: 0, unknown: [], added: [], addedFiles: 0, unproven: false };
const WAITS = new Set(['pending', 'running', 'paused']);

function findingOf(seen: Seen, target: TargetView, looked: Looked | undefined): Judged {
  const { name, status, reason } = target;
  if (!looked && WAITS.has(status)) return { ...NOTHING, state: 'waiting' };
  const during = {
    from: beginningOf(seen.events),
    to: looked?.at ?? seen.view.overall.endedAt ?? Number.POSITIVE_INFINITY,
  };
  const isBusy = seen.busy.get(name)?.some((span) => overlaps(span, during)) ?? false;
  if (isBusy) return { ...NOTHING, state: 'deploying' };
  if (!looked) return { ...NOTHING, state: 'unknown', unknown: [reason ?? `its look has ended ${status}`] };
  const { differs, moreDiffers, unknown, added, moreAdded } = looked.look;
  const addedFiles = added.length + moreAdded;
  const hasDrifted = differs.length + moreDiffers > 0 || (seen.added && addedFiles > 0);
  const isUnproven = seen.plan.targets[target.index]?.facts.unproven === true;
  return {
    ...{ differs, moreDiffers, unknown, addedFiles },
    state: hasDrifted ? 'drifted' : unknown.length > 0 ? 'unknown' : 'same',
    added: seen.added ? added : [],
    unproven: isUnproven && hasDrifted,
  };
}
