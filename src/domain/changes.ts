import type { Plan } from './plan.ts';
import type { Release } from './release.ts';

/** What a plan brings to an environment, or takes back from it, by what its releases were built from. */
export type Changes = {
  /** The release that is compared with: the oldest that a target of the plan has. `null`: none is known. */
  readonly since: string | null;
  /** `back`: the plan goes to an older release, and these are taken back. */
  readonly direction: 'forward' | 'back';
  /** In the order in which they were made. */
  readonly releases: readonly ChangedRelease[];
  /** Of all of them, each once. */
  readonly tickets: readonly string[];
  readonly authors: readonly string[];
  /** The commits that they lie between, where both ends tell theirs in one repository: `from` is not in it, `to` is. */
  readonly commits: { readonly repository: string; readonly from: string; readonly to: string } | null;
};
export type ChangedRelease = Pick<Release, 'id' | 'version' | 'createdAt'> & {
  readonly commit: string | null;
  readonly tickets: readonly string[];
};

/**
 * Of the releases of the project those between what the targets have and what they get; nothing for a restart, or where the
 * release is on all of them. A release that was never deployed in between counts too: what is in it is in the one after it.
 */
export function changesOf(
  plan: Pick<Plan, 'release' | 'targets'>,
  releases: readonly Release[],
): Changes | null {
  const to = releases.find(({ id }) => id === plan.release);
  if (!to) return null;
  const had = new Set(plan.targets.map(({ before }) => before));
  const known = releases.filter(({ id }) => had.has(id)).toSorted(byAge);
  const [oldest] = known;
  const newest = known.at(-1);
  if (!oldest || !newest) return changes(to, { since: null, direction: 'forward', releases: [to] });
  if (oldest.id === to.id && newest.id === to.id) return null;
  const isBack = byAge(to, newest) < 0 && byAge(to, oldest) <= 0;
  const [from, until] = isBack ? [to, newest] : [oldest, to];
  const between = releases.filter((one) => byAge(one, from) > 0 && byAge(one, until) <= 0).toSorted(byAge);
  const since = isBack ? newest : oldest;
  return changes(to, { since, direction: isBack ? 'back' : 'forward', releases: between });
}

const byAge = (a: Release, b: Release): number =>
  a.createdAt - b.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id));

type Found = Pick<Changes, 'direction'> & {
  readonly since: Release | null;
  readonly releases: readonly Release[];
};

function changes(to: Release, { since, direction, releases }: Found): Changes {
  const sources = releases.flatMap(({ source }) => source ?? []);
  return {
    since: since?.version ?? null,
    direction,
    releases: releases.map(({ id, version, createdAt, source }) => {
      return { id, version, createdAt, commit: source?.commit ?? null, tickets: source?.tickets ?? [] };
    }),
    tickets: [...new Set(sources.flatMap(({ tickets }) => tickets))],
    authors: [...new Set(sources.flatMap(({ authors = [] }) => authors))],
    commits: since && commitsBetween(direction === 'back' ? to : since, direction === 'back' ? since : to),
  };
}

function commitsBetween({ source: from }: Release, { source: to }: Release): Changes['commits'] {
  if (!from || !to || from.repository !== to.repository || from.commit === to.commit) return null;
  return { repository: to.repository, from: from.commit, to: to.commit };
}
