import { configOf, setMember } from './member.ts';
import type { Pool } from './pool.ts';

/** The configuration that a reboot brings back: the one of the start, until somebody saves another. */
export type Saved = {
  /** How often it was saved since the start. */
  times(): number;
  save(): void;
  bringBack(): void;
};

export function newSaved(pools: ReadonlyMap<string, Pool>): Saved {
  const members = [...pools.values()].flatMap((pool) => pool.members);
  const take = () => new Map(members.map((member) => [member, configOf(member)]));
  let kept = take();
  let times = 0;
  return {
    times: () => times,
    save: () => {
      kept = take();
      times += 1;
    },
    bringBack: () => {
      for (const [member, config] of kept) setMember(member, config);
    },
  };
}
