import type { Plan, PlanTarget } from './plan.ts';
import type { Release } from './release.ts';

/** What a plan brings to an environment, and what it takes back from it, by what its releases were built from. */
export type Changes = {
  readonly brings: ChangeSet | null;
  readonly takesBack: ChangeSet | null;
};
/** Of the releases that lie between two of a project; the first is not in it, the last is. */
export type ChangeSet = {
  /** `null`: what the targets have is not known, and this is of the release alone. */
  readonly after: string | null;
  readonly upTo: string;
  readonly releases: number;
  /** Of all of them, each once. */
  readonly tickets: readonly string[];
  readonly authors: readonly string[];
  /** Where both ends say what they were built from, in one repository. */
  readonly commits: { readonly repository: string; readonly after: string; readonly upTo: string } | null;
};

/**
 * Compared with the oldest and the newest release that the targets have: what some of them get is brought, what some of them lose
 * is taken back. A release that was never deployed in between counts too, since what is in it is in the one after it. Nothing for a
 * restart, or where the release is on all targets.
 */
export function changesOf(
  plan: Pick<Plan, 'release'> & { readonly targets: readonly Pick<PlanTarget, 'before'>[] },
  releases: readonly Release[],
): Changes | null {
  const to = releases.find(({ id }) => id === plan.release);
  if (!to) return null;
  const had = new Set(plan.targets.map(({ before }) => before));
  const known = releases.filter(({ id }) => had.has(id)).toSorted(byAge);
  const [oldest] = known;
  const newest = known.at(-1);
  if (!oldest || !newest) return { brings: changeSet([to], null, to), takesBack: null };
  const between = (after: Release, upTo: Release): ChangeSet | null => {
    const found = releases.filter((one) => byAge(one, after) > 0 && byAge(one, upTo) <= 0).toSorted(byAge);
    return found.length === 0 ? null : changeSet(found, after, upTo);
  };
  const [brings, takesBack] = [between(oldest, to), between(to, newest)];
  return brings || takesBack ? { brings, takesBack } : null;
}

/** Of two that were made in the same millisecond the one with the lower version is older. */
const byAge = (a: Release, b: Release): number =>
  a.createdAt - b.createdAt || a.version.localeCompare(b.version, 'en', { numeric: true });

function changeSet(releases: readonly Release[], after: Release | null, upTo: Release): ChangeSet {
  const sources = releases.flatMap(({ source }) => source ?? []);
  return {
    after: after?.version ?? null,
    upTo: upTo.version,
    releases: releases.length,
    tickets: [...new Set(sources.flatMap(({ tickets }) => tickets))],
    authors: [...new Set(sources.flatMap(({ authors = [] }) => authors))],
    commits: after && commitsBetween(after, upTo),
  };
}

function commitsBetween({ source: from }: Release, { source: to }: Release): ChangeSet['commits'] {
  if (!from || !to || from.repository !== to.repository || from.commit === to.commit) return null;
  return { repository: to.repository, after: from.commit, upTo: to.commit };
}
